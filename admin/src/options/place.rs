//! Which stack a command works on, and where.

use clap::{Args, ValueEnum};

/// Where the stack is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Connect {
    /// The stack of `cargo run` on this machine. PORT is the port of its API, 3000 if left out. The
    /// stand-ins are on the next four ports, unless --endpoint or AWS_ENDPOINT_URL_… name others
    #[arg(long, global = true, value_name = "PORT", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "3000", value_parser = clap::value_parser!(u16).range(1..=65_531))]
    pub(crate) local: Option<u16>,

    /// The endpoint of one service: dynamodb, ses, secrets, lambda or cloudformation. May be repeated.
    /// Overrides AWS_ENDPOINT_URL_DYNAMODB and the other variables
    #[arg(long, global = true, value_name = "SERVICE=URL", value_parser = endpoint)]
    pub(crate) endpoint: Vec<Endpoint>,

    /// The region, if it is not the one of the environment or the profile
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// A profile of ~/.aws/config
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// The endpoint of a service.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) service: Service,
    pub(crate) url: String,
}

/// An AWS service that the command calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Dynamodb,
    Ses,
    Secrets,
    /// Where a user store function is invoked
    Lambda,
    Cloudformation,
}

impl Service {
    /// The environment variable from which the SDKs read the service's endpoint.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Dynamodb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
            Self::Secrets => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::Lambda => "AWS_ENDPOINT_URL_LAMBDA",
            Self::Cloudformation => "AWS_ENDPOINT_URL_CLOUDFORMATION",
        }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (service, url) = text.split_once('=').ok_or("it has the form SERVICE=URL")?;
    let service = Service::from_str(service, true)
        .map_err(|_| "the service is one of dynamodb, ses, secrets, lambda, cloudformation")?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("the URL begins with http:// or https://".to_owned());
    }
    Ok(Endpoint {
        service,
        url: url.to_owned(),
    })
}

/// The stack that a command works on.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The name of the stack, from which the command learns the table, the secrets and the settings
    /// (needs the permission cloudformation:DescribeStacks)
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// The table. Default: the stack's output TableName
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    #[clap(skip)]
    pub(crate) parts: Parts,
}

/// The other parts of a stack, for when no --stack names them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Parts {
    #[command(flatten)]
    pub(crate) index_key: IndexKey,

    /// The secret of the code key. Default: the stack's output CodeKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) code_key_secret: Option<String>,

    /// The sender of mails. Default: the stack's parameter MailFrom
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// The prefix of the names of the mail templates. Default: the stack's name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) template_prefix: Option<String>,

    /// The URL of the API. Default: the stack's output ApiUrl
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
}

/// The secret of the index key.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct IndexKey {
    /// The secret of the index key. Default: the stack's output IndexKeyArn
    #[arg(long = "index-key-secret", value_name = "ID")]
    pub(crate) secret: Option<String>,
}
