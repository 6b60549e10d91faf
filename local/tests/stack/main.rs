//! The stack on this machine: how template.yaml is read, the functions' processes, the stream, and the whole
//! program. Settings and docs/security.md are compared with the template and the sources.

#[cfg(test)]
mod cloudformation;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod security;
#[cfg(test)]
mod service;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod template;
