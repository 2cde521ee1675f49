//! Reads the items that a source file of `src/ffi` exports to C.

use syn::{
    Attribute, Expr, ExprUnary, Fields, FnArg, Ident, Item, ItemConst, ItemFn, ItemImpl, ItemStruct, ItemType, Lit,
    Member, Meta, Pat, ReturnType, UnOp, Visibility,
};

use crate::Failure;
use crate::interface::{Alias, Constant, Field, Function, Interface, Section, Struct, Type};

/// Reads a file into a section. The length of an array can be a constant of an earlier section.
pub(crate) fn section(earlier: &Interface, path: &str, title: &str, text: &str) -> Result<Section, Failure> {
    let file = syn::parse_file(text).map_err(|error| format!("{path}: {error}"))?;
    let items: Vec<&Item> = file.items.iter().filter(|item| !is_conditional(item)).collect();
    let mut reader = Reader { earlier, section: empty(path, title) };
    reader.constants(&items)?;
    reader.others(&items).map_err(|error| format!("{path}: {error}"))?;
    let (declared, found) = (text.matches("(no_mangle)").count(), reader.section.functions.len());
    if declared != found {
        return Err(
            format!("{path}: {declared} functions are no_mangle, but {found} are functions of the module").into()
        );
    }
    Ok(reader.section)
}

fn empty(path: &str, title: &str) -> Section {
    Section {
        path: path.to_owned(),
        title: title.to_owned(),
        constants: Vec::new(),
        aliases: Vec::new(),
        handles: Vec::new(),
        structs: Vec::new(),
        functions: Vec::new(),
        retryable: Vec::new(),
    }
}

struct Reader<'a> {
    earlier: &'a Interface,
    section: Section,
}

impl Reader<'_> {
    /// Adds the constants. They come first, because the length of an array can be a constant.
    fn constants(&mut self, items: &[&Item]) -> Result<(), Failure> {
        for item in items {
            match item {
                Item::Const(item) if is_public(&item.vis) => {
                    let constant = self.constant(item)?;
                    self.section.constants.push(constant);
                }
                Item::Const(item) if item.ident == "RETRYABLE" => self.section.retryable = names_in_list(&item.expr)?,
                _ => (),
            }
        }
        Ok(())
    }

    fn others(&mut self, items: &[&Item]) -> Result<(), Failure> {
        for item in items {
            match item {
                Item::Type(item) if is_public(&item.vis) => {
                    let alias = self.alias(item)?;
                    self.section.aliases.push(alias);
                }
                Item::Struct(item) if is_public(&item.vis) && !has_attribute(&item.attrs, "repr") => {
                    self.section.handles.push(item.ident.to_string());
                }
                Item::Struct(item) if is_public(&item.vis) => {
                    let read = self.sized_struct(item, items)?;
                    self.section.structs.push(read);
                }
                Item::Fn(item) if is_exported(&item.attrs) => {
                    let function = self.function(item)?;
                    self.section.functions.push(function);
                }
                _ => (),
            }
        }
        Ok(())
    }

    fn constant(&self, item: &ItemConst) -> Result<Constant, Failure> {
        Ok(Constant {
            name: item.ident.to_string(),
            documentation: documentation(&item.attrs)?,
            of: self.read_type(&item.ty)?,
            value: number(&item.expr)?.parse().map_err(|_| format!("{} is not a number", item.ident))?,
        })
    }

    fn alias(&self, item: &ItemType) -> Result<Alias, Failure> {
        documentation(&item.attrs)?;
        Ok(Alias { name: item.ident.to_string(), of: self.read_type(&item.ty)? })
    }

    fn sized_struct(&self, item: &ItemStruct, items: &[&Item]) -> Result<Struct, Failure> {
        let name = item.ident.to_string();
        documentation(&item.attrs)?;
        let Fields::Named(named) = &item.fields else {
            return Err(format!("{name} has no named fields").into());
        };
        let fields = named.named.iter().map(|field| {
            documentation(&field.attrs)?;
            Ok(Field { name: name_of(field.ident.as_ref())?, of: self.read_type(&field.ty)? })
        });
        let fields: Vec<Field> = fields.collect::<Result<_, Failure>>()?;
        let facts = implementation(items, &item.ident)?;
        let initial = initial_values(associated(facts, "INITIAL")?)?;
        if let Some((unknown, _)) = initial.iter().find(|(name, _)| fields.iter().all(|field| field.name != *name)) {
            return Err(format!("{name} has no field {unknown}").into());
        }
        Ok(Struct { name, fields, initial, first_size: first_size(associated(facts, "FIRST_SIZE")?)? })
    }

    fn function(&self, item: &ItemFn) -> Result<Function, Failure> {
        documentation(&item.attrs)?;
        let parameters = item.sig.inputs.iter().map(|input| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(name) => Ok(Field { name: name.ident.to_string(), of: self.read_type(&typed.ty)? }),
                _ => Err(Failure::from(format!("{}: a parameter does not have a name", item.sig.ident))),
            },
            FnArg::Receiver(_) => Err(format!("{} is a method", item.sig.ident).into()),
        });
        let returns = match &item.sig.output {
            ReturnType::Default => Type::Void,
            ReturnType::Type(_, of) => self.read_type(of)?,
        };
        Ok(Function { name: item.sig.ident.to_string(), parameters: parameters.collect::<Result<_, _>>()?, returns })
    }

    fn read_type(&self, of: &syn::Type) -> Result<Type, Failure> {
        match of {
            syn::Type::Ptr(pointer) => {
                let to = Box::new(self.read_type(&pointer.elem)?);
                Ok(Type::Pointer { is_const: pointer.const_token.is_some(), to })
            }
            syn::Type::Array(array) => {
                let length = usize::try_from(self.length(&number(&array.len)?)?)?;
                Ok(Type::Array { of: Box::new(self.read_type(&array.elem)?), length })
            }
            syn::Type::Path(path) => named_type(&name_of(path.path.get_ident())?),
            _ => Err("a type does not exist in C".into()),
        }
    }

    fn length(&self, written: &str) -> Result<i64, Failure> {
        let own = self.section.constants.iter().find(|constant| constant.name == written);
        own.map_or_else(|| self.earlier.value(written), |constant| Ok(constant.value))
    }
}

fn named_type(name: &str) -> Result<Type, Failure> {
    Ok(match name {
        "c_char" => Type::Char,
        "i32" => Type::I32,
        "u32" => Type::U32,
        "i64" => Type::I64,
        "usize" => Type::Usize,
        name if name.starts_with("nexmo_") => Type::Named(name.to_owned()),
        other => return Err(format!("{other} is not a type of the interface").into()),
    })
}

/// Returns the fields and values in an initial value `Self { field: value, ..zeroed() }`.
fn initial_values(initial: &Expr) -> Result<Vec<(String, String)>, Failure> {
    let Expr::Struct(initial) = initial else {
        return Err("INITIAL is not of the form Self { field: value, ..zeroed() }".into());
    };
    if initial.rest.is_none() {
        return Err("INITIAL does not end with ..zeroed()".into());
    }
    let values = initial.fields.iter().map(|field| match &field.member {
        Member::Named(name) => Ok((name.to_string(), number(&field.expr)?)),
        Member::Unnamed(_) => Err(Failure::from("a field has no name")),
    });
    values.collect()
}

/// Returns the two literals of `first_size(wide, narrow)`.
fn first_size(expression: &Expr) -> Result<(usize, usize), Failure> {
    let failure = || Failure::from("FIRST_SIZE is not of the form first_size(64, 32)");
    let Expr::Call(call) = expression else { return Err(failure()) };
    let sizes = call.args.iter().map(|size| Ok(number(size)?.parse()?));
    match *sizes.collect::<Result<Vec<usize>, Failure>>()? {
        [wide, narrow] => Ok((wide, narrow)),
        _ => Err(failure()),
    }
}

/// Returns an expression as text. It must be a literal integer, possibly negative, or the name of a constant.
fn number(expression: &Expr) -> Result<String, Failure> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Ok(number.base10_digits().to_owned()),
            _ => Err("a value is not an integer".into()),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Ok(format!("-{}", number(expr)?)),
        Expr::Path(path) => name_of(path.path.get_ident()),
        _ => Err("a value is neither a literal integer nor the name of a constant".into()),
    }
}

/// Returns the names in `&[A, B]`.
fn names_in_list(list: &Expr) -> Result<Vec<String>, Failure> {
    match list {
        Expr::Reference(reference) => names_in_list(&reference.expr),
        Expr::Array(array) => array.elems.iter().map(number).collect(),
        _ => Err("RETRYABLE is not of the form &[NAME, NAME]".into()),
    }
}

/// Returns the implementation of SizedStruct for the struct `name`.
fn implementation<'a>(items: &[&'a Item], name: &Ident) -> Result<&'a ItemImpl, Failure> {
    let is_sought = |item: &&ItemImpl| {
        let of_trait = item.trait_.as_ref().is_some_and(|(_, path, _)| path.is_ident("SizedStruct"));
        of_trait && matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident(name))
    };
    let mut implementations = items.iter().filter_map(|item| match item {
        Item::Impl(item) => Some(item),
        _ => None,
    });
    Ok(implementations.find(is_sought).ok_or_else(|| format!("{name} does not implement SizedStruct"))?)
}

fn associated<'a>(item: &'a ItemImpl, name: &str) -> Result<&'a Expr, Failure> {
    let mut constants = item.items.iter().filter_map(|item| match item {
        syn::ImplItem::Const(item) if item.ident == name => Some(&item.expr),
        _ => None,
    });
    Ok(constants.next().ok_or_else(|| format!("an implementation of SizedStruct has no {name}"))?)
}

fn name_of(name: Option<&Ident>) -> Result<String, Failure> {
    Ok(name.ok_or("an item does not have a simple name")?.to_string())
}

/// Returns the text of the doc comments, which the header repeats unchanged.
fn documentation(attributes: &[Attribute]) -> Result<String, Failure> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    let text = lines.join("\n");
    if text.trim().is_empty() {
        return Err("an item has no documentation".into());
    }
    match ["*/", "/*", "[`"].iter().find(|mark| text.contains(**mark)) {
        Some(mark) => Err(format!("documentation that the header repeats contains {mark:?}: {text}").into()),
        None => Ok(text),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn has_attribute(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

fn is_exported(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("unsafe") && list.tokens.to_string() == "no_mangle",
        _ => false,
    })
}

/// Returns whether an item exists only in some builds, because it is a test or a function of the testing library.
fn is_conditional(item: &Item) -> bool {
    match item {
        Item::Const(item) => has_attribute(&item.attrs, "cfg"),
        Item::Fn(item) => has_attribute(&item.attrs, "cfg"),
        Item::Impl(item) => has_attribute(&item.attrs, "cfg"),
        Item::Struct(item) => has_attribute(&item.attrs, "cfg"),
        Item::Type(item) => has_attribute(&item.attrs, "cfg"),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn nothing() -> Interface {
        Interface { version: "1.2.3", sections: Vec::new() }
    }

    /// Returns an interface with one function and one struct that has these fields and initial values.
    pub(crate) fn interface(fields: &str, initial: &str) -> Interface {
        let fields = fields.replace("pub ", "/** Documented. */ pub ");
        let text = format!(
            "/** A status. */ pub type nexmo_status = i32;
             /** Fine. Go on. */ pub const NEXMO_OK: nexmo_status = 0;
             /** It failed. Retry. */ pub const NEXMO_ERR_LATER: nexmo_status = 2;
             pub(super) const RETRYABLE: &[nexmo_status] = &[NEXMO_ERR_LATER];
             /** A size. */ pub const NEXMO_TEXT_SIZE: usize = 20;
             /** A flag. */ pub const NEXMO_EXAMPLE_FLAG: u32 = 4;
             /** A kind. */ pub const NEXMO_STATE_RUNNING: i32 = 0;
             /** A handle. */ pub struct nexmo_handle {{ _identifier: () }}
             /** A struct. */ #[repr(C)] pub struct nexmo_example {{ /** Its size. */ pub {fields} }}
             unsafe impl SizedStruct for nexmo_example {{
                 const FIRST_SIZE: usize = first_size(8, 8);
                 const INITIAL: Self = Self {{ {initial} ..zeroed() }};
             }}
             /** Does it. */ #[unsafe(no_mangle)]
             pub unsafe extern \"C\" fn nexmo_do(handle: *mut nexmo_handle, text: *const c_char, text_size: usize, \
                 example: *const nexmo_example, new: *mut *mut nexmo_handle, buffer: *mut c_char) -> nexmo_status {{ 0 }}
             #[cfg(test)] pub fn not_seen() {{}}"
        );
        let mut interface = nothing();
        interface.sections.push(section(&nothing(), "example.rs", "Example", &text).unwrap());
        interface
    }

    fn error_of(text: &str) -> String {
        section(&nothing(), "example.rs", "Example", text).err().unwrap().to_string()
    }

    #[test]
    fn initial_values_are_read_from_the_implementation() {
        let read = interface("struct_size: u32, pub status: i32, pub wait: i64", "status: NEXMO_ERR_LATER, wait: -1,");
        let expected = [("status", "NEXMO_ERR_LATER"), ("wait", "-1")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(read.structs().next().unwrap().initial, expected);
        assert!(interface("struct_size: u32", "").structs().next().unwrap().initial.is_empty());
    }

    #[test]
    fn an_initial_value_in_another_form_is_an_error() {
        let text = |initial: &str| {
            format!(
                "/** S. */ #[repr(C)] pub struct nexmo_s {{ /** F. */ pub f: i32 }}
                 unsafe impl SizedStruct for nexmo_s {{
                     const FIRST_SIZE: usize = first_size(4, 4); const INITIAL: Self = {initial}; }}"
            )
        };
        assert!(error_of(&text("zeroed()")).contains("INITIAL is not of the form"));
        assert!(error_of(&text("Self { f: 1 }")).contains("..zeroed()"));
        assert!(error_of(&text("Self { f: 1 + 1, ..zeroed() }")).contains("neither a literal"));
        assert!(error_of(&text("Self { g: 1, ..zeroed() }")).contains("no field g"));
    }

    #[test]
    fn doc_comments_become_the_text_of_c_comments() {
        let text = "/// One\n/// line.\n///\n/// @par Blocking: never.\npub const NEXMO_A: i32 = -1;";
        let read = section(&nothing(), "a.rs", "A", text).unwrap();
        assert_eq!(read.constants[0].documentation, "One\nline.\n\n@par Blocking: never.");
        assert_eq!(crate::interface::plain(&read.constants[0].documentation), "One line. @par Blocking: never.");
        assert_eq!(read.constants[0].value, -1);
    }

    #[test]
    fn documentation_that_c_cannot_repeat_is_an_error() {
        assert!(error_of("#[doc = \"ends */ here\"] pub const NEXMO_A: i32 = 1;").contains("*/"));
        assert!(error_of("/// A link to [`Rust`].\npub const NEXMO_A: i32 = 1;").contains("[`"));
        assert!(error_of("pub const NEXMO_A: i32 = 1;").contains("no documentation"));
    }

    #[test]
    fn types_that_c_does_not_have_are_errors() {
        assert!(error_of("/// A.\npub const NEXMO_A: u128 = 1;").contains("u128"));
        assert!(error_of("/// A.\n#[unsafe(no_mangle)] pub extern \"C\" fn f(a: bool) {}").contains("bool"));
    }

    #[test]
    fn a_function_that_is_hidden_in_a_module_or_macro_is_an_error() {
        let text = "mod inner { /// F.\n#[unsafe(no_mangle)] pub extern \"C\" fn f() {} }";
        assert!(error_of(text).contains("1 functions are no_mangle, but 0"));
    }

    #[test]
    fn statuses_have_their_text_and_whether_a_retry_can_succeed() {
        let read = interface("struct_size: u32", "");
        let statuses = read.statuses();
        let facts: Vec<_> = statuses.iter().map(|it| (it.name, it.number, it.text.as_str(), it.is_retryable)).collect();
        let expected = [("NEXMO_OK", 0, "Fine. Go on.", false), ("NEXMO_ERR_LATER", 2, "It failed. Retry.", true)];
        assert_eq!(facts, expected);
    }
}
