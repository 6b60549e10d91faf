//! `regain mails`: the SES templates of the stack from the files of the mails, and what is wrong with them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regain::locale::Locale;

/// The files as they are in the tree.
fn mails() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mails")
}

/// A copy of the files and of the texts, without what is made from them.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let copy = tempfile::tempdir().unwrap();
        for (from, to) in [
            ("", "mails"),
            ("parts", "mails/parts"),
            ("../locales", "locales"),
        ] {
            let (from, to) = (mails().join(from), copy.path().join(to));
            fs::create_dir(&to).unwrap();
            for file in fs::read_dir(from).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), to.join(file.file_name())).unwrap();
                }
            }
        }
        let template = copy.path().join("template.yaml");
        fs::copy(mails().join("../template.yaml"), template).unwrap();
        Self(copy)
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("mails")
    }

    /// Replaces a text in a file, given from the folder of the mails.
    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.folder().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
}

/// The files that were made in a folder, by name.
fn made(folder: &Path) -> BTreeMap<OsString, String> {
    let files = fs::read_dir(folder.join("templates")).unwrap();
    let files = files.map(|file| {
        let file = file.unwrap();
        (file.file_name(), fs::read_to_string(file.path()).unwrap())
    });
    files.collect()
}

fn run(command: &str, folder: &Path) -> Output {
    let mut regain = Command::new(env!("CARGO_BIN_EXE_regain"));
    regain.args(["mails", command]).arg(folder);
    regain.output().unwrap()
}

#[test]
fn the_templates_in_the_tree_are_made_from_the_files_in_the_tree() {
    let copy = Copy::new();
    let output = run("build", &copy.folder());
    assert!(output.status.success(), "{output:?}");
    let made_now = made(&copy.folder());
    assert_eq!(made_now.len(), 3 * Locale::ALL.len());
    let template = |folder: &Path| fs::read_to_string(folder.join("../template.yaml")).unwrap();
    assert!(
        made_now == made(&mails()) && template(&copy.folder()) == template(&mails()),
        "mails/templates or template.yaml is stale: run `cargo run --bin regain -- mails build`"
    );
}

#[test]
fn a_mail_that_would_not_be_delivered_or_would_be_incomplete_is_refused() {
    for (file, from, to, problem) in [
        (
            "password-changed.txt",
            "Subject: ",
            "Betreff: ",
            "password-changed.txt: has \"Betreff: [[mail-changed-subject]]\" where \"Subject: …\" belongs",
        ),
        (
            "password-changed.txt",
            "\n\n",
            "\n",
            "password-changed.txt: has no empty line after its fields",
        ),
        (
            "password-changed.html",
            "Preview: ",
            "",
            "where \"Preview: …\" belongs",
        ),
        (
            "layout.html",
            "[[automatic]]",
            "[[foot]]",
            "layout.html: has [[foot]], which stands for nothing",
        ),
        (
            "layout.html",
            "${BrandColor}",
            "${MailFrom}",
            "layout.html: uses ${MailFrom}, which no mail may have",
        ),
        (
            "parts/support.txt",
            "[[if HasSupportContact]]",
            "[[if HasSupport]]",
            "layout.txt: asks for the unknown condition HasSupport",
        ),
        (
            "parts/support.txt",
            "[[end]]",
            "",
            "layout.txt: has [[if …]] without [[end]] behind it",
        ),
        (
            "parts/code.txt",
            "[[mail-link-lead]]",
            "[[mail-link]]",
            "layout.txt: names the unknown message mail-link",
        ),
        (
            "parts/code.txt",
            "[[mail-link-lead]]",
            "[[code]]",
            "layout.txt: has parts that stand for one another",
        ),
        (
            "layout.html",
            "[[body]]",
            "",
            "directory-session-forgot.ar: its HTML part does not show {{code}}",
        ),
        (
            "parts/code.txt",
            "{{code}}",
            "{{code}}.",
            "directory-session-forgot.ar: its text part does not have {{code}} alone on a line",
        ),
        (
            "parts/code.txt",
            "{{code}}",
            "{{code}}\n{{minutes}}",
            "directory-session-forgot.ar: its text part uses {{minutes}}, which no mail has",
        ),
        (
            "../template.yaml",
            "AllowedValues: &languages [",
            "AllowedValues: [",
            "template.yaml: has no place for the mails or for the languages",
        ),
        (
            "../locales/fr.ftl",
            "mail-changed-title",
            "mail-change-title",
            "fr.ftl lacks mail-changed-title",
        ),
        (
            "../locales/fr.ftl",
            "{ $validFor }",
            "{ $valid }",
            "fr.ftl has mail-code-preview with the variables {\"valid\"}, not {\"validFor\"}",
        ),
    ] {
        let copy = Copy::new();
        copy.change(file, from, to);
        assert_refused(&copy.folder(), problem);
    }
}

#[test]
fn a_file_that_is_missing_or_of_no_mail_is_refused() {
    let copy = Copy::new();
    let path = copy.folder().join("password-changed.html");
    let stray = copy.folder().join("password-change.html");
    fs::copy(&path, &stray).unwrap();
    assert_refused(&copy.folder(), "password-change.html: is of no mail");
    fs::remove_file(&stray).unwrap();
    fs::remove_file(&path).unwrap();
    assert_refused(&copy.folder(), "password-changed.html: is missing");
}

fn assert_refused(folder: &Path, problem: &str) {
    let output = run("build", folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(problem), "{problem}: {said}");
    assert!(!folder.join("templates").exists());
}

#[test]
fn the_mails_in_the_tree_have_no_flaw() {
    let output = run("check", &mails());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with('✓')).count(),
        3 * Locale::ALL.len()
    );
}

#[test]
fn a_check_tells_what_a_person_or_a_program_could_not_read() {
    for (file, from, to, problem) in [
        (
            "layout.html",
            ".soft { color: #a9aeb9",
            ".soft { color: #5a5f6b",
            "has a contrast of 2.7 in dark mode, not 4.5",
        ),
        (
            "layout.html",
            "</head>",
            "<link rel=\"stylesheet\" href=\"https://example.com/x.css\"></head>",
            "its HTML part has <link>, which loads something",
        ),
        (
            "../locales/de.ftl",
            "mail-changed-lead = ",
            "mail-changed-lead = 20245 ",
            "password-changed.de: its text part has 4 digits in a row",
        ),
    ] {
        let copy = Copy::new();
        copy.change(file, from, to);
        let output = run("check", &copy.folder());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(problem), "{problem}: {said}");
        assert_eq!(output.status.code(), Some(1), "{said}");
    }
}

#[test]
fn a_preview_has_every_mail_with_the_settings_of_the_environment() {
    let out = tempfile::tempdir().unwrap();
    let mut regain = Command::new(env!("CARGO_BIN_EXE_regain"));
    regain.args(["mails", "preview"]).arg(mails());
    regain.arg("--out").arg(out.path());
    regain.envs([
        ("SERVICE_NAME", "R & B"),
        ("SERVICE_KIND", "website"),
        ("BRAND_COLOR", "#aa33cc"),
        ("LOGO_URL", "https://example.com/logo.png"),
        ("SUPPORT_CONTACT", "help@example.com"),
        ("CODE_LENGTH", "8"),
    ]);
    let output = regain.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    let html = read("password-changed.en.html");
    for expected in [
        "border-top: 4px solid #aa33cc",
        "src=\"https://example.com/logo.png\" alt=\"R &amp; B\"",
        "href=\"mailto:help@example.com\"",
    ] {
        assert!(html.contains(expected), "{expected} in {html}");
    }
    let text = read("password-changed.en.txt");
    for part in [&html, &text] {
        assert!(part.contains("/recover#n="), "{part}");
        assert!(!part.contains("Forgot password"), "{part}");
    }
    assert!(text.contains("support: help@example.com"), "{text}");
    let text = read("password-changed.en.without-link.txt");
    assert!(text.contains("open the R & B website"), "{text}");
    assert!(text.contains("support: help@example.com"), "{text}");
    assert!(!text.contains("/recover"), "{text}");
    let linked = read("auth-v1-forgot-password.ar.txt");
    assert!(
        linked.contains("\n12345678\n") && linked.contains("/recover#t="),
        "{linked}"
    );
    assert!(!read("auth-v1-forgot-password.ar.without-link.txt").contains("/recover"));
    let index = read("index.html");
    assert_eq!(index.matches("<tr><td>").count(), 6 * Locale::ALL.len());
    assert!(index.contains("dir=\"rtl\""));
}
