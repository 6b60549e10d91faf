//! The fixtures: `events/<function>/<case>.json`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::WORKSPACE;

/// One event, and the function it is for.
pub struct Fixture {
    /// The function's name.
    pub function: String,
    /// What the event is about.
    pub case: String,
    /// The file as it is.
    pub text: String,
    /// The file as JSON.
    pub event: Json,
}

impl Fixture {
    /// All of them, in the order of their names.
    pub fn all() -> Vec<Self> {
        let folder = events();
        let fixtures = files(&folder, "json").map(|name| {
            let text = fs::read_to_string(folder.join(&name).with_extension("json")).unwrap();
            let event = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{name} is not JSON: {error}"));
            let (function, case) = name.split_once('/').unwrap();
            Self {
                function: function.to_owned(),
                case: case.to_owned(),
                text,
                event,
            }
        });
        fixtures.collect()
    }

    /// The file's name below `events/`, without its ending.
    pub fn name(&self) -> String {
        format!("{}/{}", self.function, self.case)
    }
}

/// The folder with the fixtures and their seed.
pub fn events() -> PathBuf {
    Path::new(WORKSPACE).join("events")
}

/// The files of that ending in the folders of a folder, as `folder/file` without the ending.
pub fn files(folder: &Path, ending: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(is_folder)
    {
        let inner = entry.file_name().into_string().unwrap();
        for file in fs::read_dir(entry.path()).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            let case = name.strip_suffix(&format!(".{ending}"));
            let case = case.unwrap_or_else(|| panic!("{inner}/{name} is no .{ending} file"));
            names.push(format!("{inner}/{case}"));
        }
    }
    names.sort();
    names.into_iter()
}

fn is_folder(entry: &fs::DirEntry) -> bool {
    entry.path().is_dir()
}
