//! The faults and vetoes of a user store elsewhere, for both the stand-in and the model.

/// How the answer to one question fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The function fails, and has done nothing.
    FunctionError,
    /// Lambda answers with this status, and nothing was done.
    Status(u16),
    /// The answer is this malformed text, and nothing was done.
    Nonsense(&'static str),
    /// The connection breaks before anything was done.
    LostBefore,
    /// The connection breaks after it was done.
    LostAfter,
    /// There is no answer in time, though it was done.
    Hang,
    /// Somebody else changes the user's password just before, and then it is answered.
    ChangedBefore,
}

/// How the store judges a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Veto {
    /// It takes every password.
    #[default]
    None,
    /// It refuses every password, with these reasons.
    Refused(Vec<&'static str>),
    /// It refuses the user.
    Blocked,
}
