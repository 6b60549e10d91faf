//! Compares the parameters of template.yaml with the functions' own check of their settings: both accept the
//! same values. A value that only the template accepted would be deployed, and no function would start.

mod parameter;
mod random;
mod values;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use local::service::check_settings;
use local::template::{Environment, Stack};

use parameter::{Parameter, TEMPLATE, yaml};
use values::{CHOICES, NUMBERS, TEXTS};

/// The stack with the defaults of all settings. Its mails are left out: no check reads them, and every check copies the stack.
static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let mut stack = Stack::open(&TEMPLATE, Environment::new()).unwrap();
    stack.mail_templates.clear();
    stack
});

/// Whether `cargo run` and the functions start with a setting and the defaults of all others.
fn starts_with(variable: &str, value: &str) -> bool {
    let mut stack = STACK.clone();
    if variable == "CORS_ORIGINS" {
        let origins = value
            .split(',')
            .map(|entry| entry.trim_matches(' ').to_owned());
        stack.cors.as_mut().unwrap().origins = origins.collect();
    }
    if let Some(set) = stack.parameters.get_mut(variable) {
        value.clone_into(set);
    }
    for function in &mut stack.functions {
        if let Some(set) = function.environment.get_mut(variable) {
            value.clone_into(set);
        }
        // Codes of four and five digits need a lower number of guesses, which is another rule.
        if variable == "CODE_LENGTH" {
            let name = "ACCOUNT_GUESSES_PER_DAY".to_owned();
            function.environment.insert(name, "1".to_owned());
        }
        // So does the edge's being the only way: it needs a secret.
        if variable == "EDGE_ONLY" {
            let name = "EDGE_SECRET".to_owned();
            function.environment.insert(name, "x".repeat(32));
        }
    }
    check_settings(&stack).is_ok()
}

#[test]
fn every_parameter_that_reaches_a_function_is_compared_here() {
    let all = yaml();
    let names = all["Parameters"].as_mapping().unwrap().keys();
    let reaching: BTreeSet<String> = names
        .map(|name| name.as_str().unwrap().to_owned())
        // It reaches them in the address of the stack's own page, and the template checks it as a domain name.
        .filter(|name| name != "DomainName")
        .filter(|name| {
            const MARK: &str = "a-mark-of-its-own";
            let variable = variable_of(name);
            let environment = Environment::from([(variable, MARK.to_owned())]);
            // A parameter of the stack alone may have to be a number.
            let Ok(stack) = Stack::open(&TEMPLATE, environment) else {
                return false;
            };
            let origins = stack.cors.iter().flat_map(|cors| &cors.origins);
            let variables = stack
                .functions
                .iter()
                .flat_map(|it| it.environment.values());
            let mails = stack.mail_templates.iter();
            let mails = mails.flat_map(|it| [&it.text, &it.html]);
            let mut places = variables.chain(origins).chain(mails);
            // No text has the kind: conditions of the template choose by it.
            name == "ServiceKind" || places.any(|value| value.contains(MARK))
        })
        .collect();
    let compared = NUMBERS
        .iter()
        .map(|row| row.0)
        .chain(CHOICES.iter().map(|row| row.0))
        .chain(TEXTS.iter().map(|row| row.0));
    assert_eq!(reaching, compared.map(str::to_owned).collect());
}

/// `CodeTtlSeconds` is `CODE_TTL_SECONDS`.
fn variable_of(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}

#[test]
fn a_number_is_accepted_within_its_range_and_in_one_notation() {
    for (name, variable, least, most, functions_least) in NUMBERS {
        let parameter = Parameter::read(name);
        let numbers = (0..=200)
            .chain(least.saturating_sub(200)..least + 200)
            .chain(most.saturating_sub(200)..most + 200)
            .chain((1..=9).flat_map(|digit| (0..9).map(move |zeros| digit * 10_u64.pow(zeros))))
            .chain(
                (1..=9).flat_map(|digit| (0..9).map(move |zeros| digit * 10_u64.pow(zeros) - 1)),
            );
        for number in numbers {
            let text = number.to_string();
            let expected = (least..=most).contains(&number);
            assert_eq!(parameter.takes(&text), expected, "{name}: {text}");
            let expected = (functions_least..=most).contains(&number);
            assert_eq!(starts_with(variable, &text), expected, "{variable}={text}");
        }
        for text in [
            format!("0{most}"),
            format!("+{most}"),
            format!("-{most}"),
            format!(" {most}"),
            format!("{most} "),
            format!("{most}\n"),
            format!("{most}.0"),
            format!("{most}."),
            format!("{least}.5"),
            format!("{most}e0"),
            format!("0x{most:x}"),
            "-0".to_owned(),
            "many".to_owned(),
            "\u{ff16}\u{ff10}".to_owned(),
            "\u{666}\u{660}".to_owned(),
            " ".to_owned(),
            "99999999999999999999".to_owned(),
        ] {
            assert!(!parameter.takes(&text), "{name}: {text:?}");
            assert!(!starts_with(variable, &text), "{variable}={text:?}");
        }
    }
}

#[test]
fn a_choice_is_accepted_in_its_exact_spelling_only() {
    for (name, variable, words) in CHOICES {
        let parameter = Parameter::read(name);
        assert_eq!(parameter.words.as_deref().unwrap(), words, "{name}");
        for word in words {
            assert!(starts_with(variable, word), "{variable}={word}");
            for other in [
                word.to_uppercase(),
                format!(" {word}"),
                format!("{word}\n"),
                format!("{word},{word}"),
            ] {
                assert!(!parameter.takes(&other), "{name}: {other:?}");
                assert!(!starts_with(variable, &other), "{variable}={other:?}");
            }
        }
    }
}

/// The address of a stack's own page is not a parameter, and does not stand in a version's description.
#[test]
fn the_page_of_a_stack_may_have_a_longer_address_than_the_template_takes() {
    let parameter = Parameter::read("RecoveryPageUrl");
    let address = |length: usize| format!("https://app.example.com/{}", "x".repeat(length - 24));
    for (length, is_taken, starts) in [
        (40, true, true),
        (41, false, true),
        (300, false, true),
        (301, false, false),
    ] {
        let address = address(length);
        assert_eq!(parameter.takes(&address), is_taken, "{length}");
        assert_eq!(
            starts_with("RECOVERY_PAGE_URL", &address),
            starts,
            "{length}"
        );
    }
    assert!(check_settings(&STACK).is_ok(), "with the stack's own page");
}

#[test]
fn the_template_and_the_functions_accept_the_same_texts() {
    for (name, variable, good, bad) in TEXTS {
        let parameter = Parameter::read(name);
        for (values, expected) in [(good, true), (bad, false)] {
            for value in values {
                assert_eq!(parameter.takes(value), expected, "{name}: {value:?}");
                assert_eq!(
                    starts_with(variable, value),
                    expected,
                    "{variable}={value:?}"
                );
            }
        }
    }
}
