//! The C interface as declared in the source files: constants, structs, functions and their documentation.

use crate::Failure;

/// Everything that the source files export, in the order of the header.
pub(crate) struct Interface {
    pub(crate) version: &'static str,
    pub(crate) sections: Vec<Section>,
}

/// What one source file exports.
pub(crate) struct Section {
    /// The path below `src/ffi`.
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) constants: Vec<Constant>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) handles: Vec<String>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) functions: Vec<Function>,
    /// The names of the statuses after which a retry can succeed.
    pub(crate) retryable: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) documentation: String,
    pub(crate) of: Type,
    pub(crate) value: i64,
}

/// A typedef of another type, such as nexmo_status.
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) of: Type,
}

/// A struct that begins with its own size.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    /// The fields whose initial value is not 0, each with that value: a number or the name of a constant.
    pub(crate) initial: Vec<(String, String)>,
    /// The sizes in the first release: with 8-byte pointers, then with 4-byte pointers.
    pub(crate) first_size: (usize, usize),
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) of: Type,
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Field>,
    pub(crate) returns: Type,
}

/// A type that the interface can use.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Void,
    Char,
    I32,
    U32,
    I64,
    Usize,
    /// An alias, a struct or a handle.
    Named(String),
    Pointer {
        is_const: bool,
        to: Box<Type>,
    },
    Array {
        of: Box<Type>,
        length: usize,
    },
}

/// A status and its properties.
pub(crate) struct Status<'a> {
    pub(crate) name: &'a str,
    pub(crate) number: i64,
    pub(crate) text: String,
    pub(crate) is_retryable: bool,
}

impl Interface {
    pub(crate) fn constants(&self) -> impl Iterator<Item = &Constant> {
        self.sections.iter().flat_map(|section| &section.constants)
    }

    pub(crate) fn structs(&self) -> impl Iterator<Item = &Struct> {
        self.sections.iter().flat_map(|section| &section.structs)
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.sections.iter().flat_map(|section| &section.functions)
    }

    /// Returns the constants of type nexmo_status.
    pub(crate) fn statuses(&self) -> Vec<Status<'_>> {
        let is_status = |constant: &&Constant| constant.of == Type::Named("nexmo_status".to_owned());
        let is_retryable = |name: &String| self.sections.iter().any(|section| section.retryable.contains(name));
        let status = |constant: &'_ Constant| (plain(&constant.documentation), is_retryable(&constant.name));
        self.constants()
            .filter(is_status)
            .map(|constant| {
                let (text, is_retryable) = status(constant);
                Status { name: &constant.name, number: constant.value, text, is_retryable }
            })
            .collect()
    }

    /// Returns the value of `written`, which is an integer literal or the name of a constant.
    pub(crate) fn value(&self, written: &str) -> Result<i64, Failure> {
        let constant = self.constants().find(|constant| constant.name == written);
        match constant {
            Some(constant) => Ok(constant.value),
            None => Ok(written.parse().map_err(|_| format!("{written} is neither a number nor a constant"))?),
        }
    }

    /// Returns the type that an alias stands for, and every other type unchanged.
    pub(crate) fn resolved<'a>(&'a self, of: &'a Type) -> &'a Type {
        let Type::Named(name) = of else { return of };
        let mut aliases = self.sections.iter().flat_map(|section| &section.aliases);
        aliases.find(|alias| alias.name == *name).map_or(of, |alias| &alias.of)
    }

    pub(crate) fn is_struct(&self, name: &str) -> bool {
        self.structs().any(|item| item.name == name)
    }
}

/// Returns documentation as one line of text.
pub(crate) fn plain(documentation: &str) -> String {
    documentation.split_whitespace().collect::<Vec<_>>().join(" ")
}
