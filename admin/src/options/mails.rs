//! The command line of `mails`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum MailsCommand {
    /// Write the files in mails/templates, which template.yaml includes, from the files in mails
    Build {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Say what is wrong with the mails: variables, the code, digits, size, contrast, what they load
    Check {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Write all mails with sample data to a folder, with a page that lists them
    ///
    /// The settings are read from the environment, as `cargo run` reads them: SERVICE_NAME='Your Shop' BRAND_COLOR=#aa3366
    /// regain mails preview
    Preview {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
        /// The folder that the mails are written to
        #[arg(long, default_value = "target/mails", value_name = "FOLDER")]
        out: PathBuf,
    },
}
