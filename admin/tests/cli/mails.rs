//! `regain mails build`: the SES templates of the stack from the files of the mails.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The files as they are in the tree.
fn mails() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mails")
}

/// A copy of the files, without what is made from them.
fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(mails()).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
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

fn build(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regain"));
    command.args(["mails", "build"]).arg(folder);
    command.output().unwrap()
}

#[test]
fn the_templates_in_the_tree_are_made_from_the_files_in_the_tree() {
    let copy = copied();
    let output = build(copy.path());
    assert!(output.status.success(), "{output:?}");
    let made_now = made(copy.path());
    assert_eq!(made_now.len(), 6);
    assert!(
        made_now == made(&mails()),
        "mails/templates is stale: run `cargo run --bin regain -- mails build`"
    );
}

#[test]
fn a_mail_that_would_not_be_delivered_or_would_be_incomplete_is_refused() {
    for (file, from, to, problem) in [
        (
            "password-changed.en.txt",
            "Subject: ",
            "Betreff: ",
            "password-changed.en.txt: has \"Betreff: Your {{serviceName}} password was changed\" where \
             \"Subject: …\" belongs",
        ),
        (
            "password-changed.en.txt",
            "\n\n",
            "\n",
            "password-changed.en.txt: has no empty line after its fields",
        ),
        (
            "password-changed.id.html",
            "Preview: ",
            "",
            "where \"Preview: …\" belongs",
        ),
        (
            "layout.html",
            "[[footer]]",
            "[[foot]]",
            "directory-session-forgot.en.html: nothing fills [[foot]] in it or in layout.html",
        ),
        (
            "layout.html",
            "[[body]]",
            "",
            "directory-session-forgot.en: its HTML part does not show {{code}}",
        ),
        (
            "auth-v1-forgot-password.id.txt",
            "{{validFor}}",
            "{{minutes}}",
            "auth-v1-forgot-password.id: its text part uses {{minutes}}, which no mail has",
        ),
    ] {
        let copy = copied();
        let path = copy.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        assert_refused(copy.path(), problem);
    }
}

#[test]
fn a_file_that_is_missing_or_of_no_mail_is_refused() {
    let copy = copied();
    let path = copy.path().join("password-changed.en.html");
    let stray = copy.path().join("password-changed.eng.html");
    fs::copy(&path, &stray).unwrap();
    assert_refused(
        copy.path(),
        "password-changed.eng.html: is of no mail or language",
    );
    fs::remove_file(&path).unwrap();
    assert_refused(copy.path(), "password-changed.en.html: cannot be read");
}

fn assert_refused(folder: &Path, problem: &str) {
    let output = build(folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(problem), "{problem}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!folder.join("templates").exists());
}
