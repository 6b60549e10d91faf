//! A parameter's rules in template.yaml, and what they accept.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_yaml_ng::Value as Yaml;

pub(crate) static TEMPLATE: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml"));

/// The template as YAML, with every merge (`<<`) written out.
pub(crate) fn yaml() -> Yaml {
    let text = std::fs::read_to_string(&*TEMPLATE).unwrap();
    let mut template: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    template.apply_merge().unwrap();
    template
}

/// A parameter's rules, as `CloudFormation` applies them: the pattern has to match the whole value, or each
/// entry of a list without the blanks around it.
pub(crate) struct Parameter {
    is_list: bool,
    pattern: Option<Regex>,
    pub(crate) words: Option<Vec<String>>,
    longest: Option<usize>,
}

impl Parameter {
    pub(crate) fn read(name: &str) -> Self {
        let all = yaml();
        let parameter = all["Parameters"][name].as_mapping().unwrap();
        let mut read = Self {
            is_list: false,
            pattern: None,
            words: None,
            longest: None,
        };
        for (key, value) in parameter {
            match (key.as_str().unwrap(), value) {
                ("Default" | "Description" | "ConstraintDescription" | "NoEcho", _) => {}
                ("Type", Yaml::String(kind)) if kind == "String" => {}
                ("Type", Yaml::String(kind)) if kind == "CommaDelimitedList" => read.is_list = true,
                ("Type", Yaml::String(kind)) if kind == "Number" => {
                    panic!("{name}: a Number may be 6.5 or 06; use a String with a pattern")
                }
                ("AllowedPattern", Yaml::String(pattern)) => {
                    read.pattern = Some(Regex::new(pattern).unwrap());
                }
                ("AllowedValues", Yaml::Sequence(words)) => {
                    let words = words.iter().map(|word| word.as_str().unwrap().to_owned());
                    read.words = Some(words.collect());
                }
                ("MaxLength", Yaml::Number(longest)) => {
                    read.longest = longest.as_u64().and_then(|it| it.try_into().ok());
                }
                (key, _) => panic!("{name}: {key} is not compared here"),
            }
        }
        assert!(read.pattern.is_some() || read.words.is_some(), "{name}");
        read
    }

    pub(crate) fn takes(&self, value: &str) -> bool {
        if self.is_list {
            value
                .split(',')
                .all(|entry| self.takes_one(entry.trim_matches(' ')))
        } else {
            self.takes_one(value)
        }
    }

    fn takes_one(&self, value: &str) -> bool {
        let matches = |pattern: &Regex| {
            let found = pattern.find(value).unwrap();
            found.is_some_and(|found| found.as_str() == value)
        };
        self.pattern.as_ref().is_none_or(matches)
            && self
                .words
                .as_ref()
                .is_none_or(|words| words.iter().any(|word| word == value))
            && self
                .longest
                .is_none_or(|longest| value.encode_utf16().count() <= longest)
    }
}
