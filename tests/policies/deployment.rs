//! The stack as it would be deployed: its functions and what their roles hold.

use std::collections::BTreeSet;
use std::path::Path;

use local::template::{Environment, Resource, Stack, Template};
use serde_json::{Value as Json, json};

use super::policy::{Access, LEADING_KEYS, Permission, Statement, texts};
use testkit::WORKSPACE;

/// The template with its parameters at their defaults, except for the key.
pub(crate) struct Deployment {
    pub(crate) template: Template,
    /// The key that the account encrypts with, if it has one of its own.
    pub(crate) key: Option<&'static str>,
    /// The stack.
    pub(crate) stack: Stack,
    /// The ARN of the table.
    pub(crate) table: String,
}

/// A function and its role.
pub(crate) struct Function {
    /// Its logical id.
    pub(crate) id: String,
    /// The name of its binary.
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// A role, with all that is attached to it.
pub(crate) struct Role {
    /// Its logical id.
    pub(crate) id: String,
    statements: Vec<Statement>,
}

impl Deployment {
    /// Reads the template.
    pub(crate) fn read(key: Option<&'static str>) -> Self {
        let given: Vec<_> = key.map(|key| ("KMS_KEY_ARN", key)).into_iter().collect();
        Self {
            key,
            ..Self::with(&given)
        }
    }

    /// The template with these settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let path = Path::new(WORKSPACE).join("template.yaml");
        let given = settings.iter().copied();
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment: Environment = given.collect();
        let stack = Stack::open(&path, environment.clone()).unwrap();
        let template = Template::open(&path, environment).unwrap();
        let tables = template.resources_of("AWS::DynamoDB::Table").unwrap();
        let table = tables.first().unwrap();
        let table = template.attribute_of(table, "Arn").unwrap();
        Self {
            template,
            key: None,
            stack,
            table,
        }
    }

    /// Every function.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let functions = self.resources("AWS::Serverless::Function").into_iter();
        let functions = functions.map(|resource| {
            let arn = property(&resource, "Role");
            let roles = self.resources("AWS::IAM::Role").into_iter();
            let role = roles
                .filter(|role| arn == self.template.attribute_of(role, "Arn").unwrap())
                .map(|role| self.role(&role))
                .next();
            Function {
                id: resource.id.to_owned(),
                name: self.stack.function(resource.id).unwrap().name.clone(),
                role: role.unwrap_or_else(|| panic!("{} has no role {arn}", resource.id)),
            }
        });
        functions.collect()
    }

    /// The function of that name.
    pub(crate) fn function(&self, name: &str) -> Function {
        let mut functions = self.functions().into_iter();
        functions.find(|function| function.name == name).unwrap()
    }

    /// The logical ids of every role.
    pub(crate) fn roles(&self) -> BTreeSet<String> {
        let roles = self.resources("AWS::IAM::Role").into_iter();
        roles.map(|role| role.id.to_owned()).collect()
    }

    /// Every kind of item that any role names, as the start of its keys.
    pub(crate) fn kinds(&self) -> BTreeSet<String> {
        let mut kinds = BTreeSet::new();
        for function in self.functions() {
            for permission in function.role.permissions() {
                let patterns = permission.values_of(LEADING_KEYS);
                kinds.extend(patterns.map(|it| it.trim_end_matches('*').to_owned()));
            }
        }
        kinds
    }

    /// An action on items of the table whose keys start like these.
    pub(crate) fn touching(&self, action: &str, keys: &[&str]) -> Access {
        Access::new(action, &self.table).with(LEADING_KEYS, keys.iter().copied())
    }

    /// Checks that nothing in a role goes past what is read here.
    pub(crate) fn assert_every_role_is_whole(&self) {
        for role in self.resources("AWS::IAM::Role") {
            let trust = property(&role, "AssumeRolePolicyDocument");
            let expected = json!([{
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }]);
            assert_eq!(trust["Statement"], expected, "{}", role.id);
            let managed = role.property("ManagedPolicyArns").unwrap();
            assert_eq!(managed, None, "{}", role.id);
            let policies = property(&role, "Policies");
            assert_eq!(policies.as_array().map(Vec::len), Some(1), "{}", role.id);
        }
        for kind in ["AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"] {
            assert!(self.resources(kind).is_empty(), "{kind} is not read here");
        }
    }

    /// The resources of a type.
    pub(crate) fn resources(&self, kind: &str) -> Vec<Resource<'_>> {
        self.template.resources_of(kind).unwrap()
    }

    fn role(&self, role: &Resource<'_>) -> Role {
        let mut documents = Vec::new();
        for policy in property(role, "Policies").as_array().unwrap() {
            documents.push(policy["PolicyDocument"].clone());
        }
        let name = self.template.name_of(role).unwrap();
        for policy in self.resources("AWS::IAM::Policy") {
            if texts(&property(&policy, "Roles")).contains(&name) {
                documents.push(property(&policy, "PolicyDocument"));
            }
        }
        let statements = documents
            .iter()
            .flat_map(|document| document["Statement"].as_array().unwrap());
        Role {
            id: role.id.to_owned(),
            statements: statements.map(Statement::read).collect(),
        }
    }
}

impl Role {
    /// Whether it allows that.
    pub(crate) fn allows(&self, access: &Access) -> bool {
        self.statements.iter().any(|it| it.allows(access))
    }

    /// The single permissions it is made of.
    pub(crate) fn permissions(&self) -> Vec<Permission> {
        let statements = self.statements.iter();
        statements.flat_map(Statement::permissions).collect()
    }
}

/// A property that has to be there, evaluated.
pub(crate) fn property(resource: &Resource<'_>, key: &str) -> Json {
    let value = resource.property(key).unwrap();
    value.unwrap_or_else(|| panic!("{} has no {key}", resource.id))
}
