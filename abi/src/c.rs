//! Writes types and declarations in C syntax.

use crate::interface::{Field, Function, Type};

/// Returns a type in C syntax, such as `const char *`. For an array, returns the type of its elements.
pub(crate) fn spelled(of: &Type) -> String {
    match of {
        Type::Void => "void".to_owned(),
        Type::Char => "char".to_owned(),
        Type::I32 => "int32_t".to_owned(),
        Type::U32 => "uint32_t".to_owned(),
        Type::I64 => "int64_t".to_owned(),
        Type::Usize => "size_t".to_owned(),
        Type::Named(name) => name.clone(),
        Type::Array { of, .. } => spelled(of),
        Type::Pointer { to, .. } if matches!(**to, Type::Pointer { .. }) => format!("{}*", spelled(to)),
        Type::Pointer { is_const, to } => format!("{}{} *", if *is_const { "const " } else { "" }, spelled(to)),
    }
}

/// Returns the declaration of a field or a parameter. The length of an array is a number, not the name of a constant.
pub(crate) fn declared(field: &Field) -> String {
    let (spelled, name) = (spelled(&field.of), &field.name);
    match &field.of {
        Type::Array { length, .. } => format!("{spelled} {name}[{length}]"),
        Type::Pointer { .. } => format!("{spelled}{name}"),
        _ => format!("{spelled} {name}"),
    }
}

/// Returns the declaration of a function on one line.
pub(crate) fn prototype(function: &Function) -> String {
    let parameters: Vec<String> = function.parameters.iter().map(declared).collect();
    let parameters = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
    let returned = Field { name: format!("{}({parameters})", function.name), of: function.returns.clone() };
    declared(&returned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    #[test]
    fn declarations_are_spelled_as_in_c() {
        let interface = interface("struct_size: u32, pub text: [c_char; NEXMO_TEXT_SIZE]", "");
        assert_eq!(
            prototype(interface.functions().next().unwrap()),
            "nexmo_status nexmo_do(nexmo_handle *handle, const char *text, size_t text_size, const nexmo_example *example, \
             nexmo_handle **new, char *buffer)"
        );
        let fields: Vec<String> = interface.structs().next().unwrap().fields.iter().map(declared).collect();
        assert_eq!(fields, ["uint32_t struct_size", "char text[20]"]);
    }

    #[test]
    fn a_function_without_parameters_takes_void_and_a_pointer_keeps_its_star() {
        let returns = Type::Pointer { is_const: true, to: Box::new(Type::Char) };
        let function = Function { name: "nexmo_text".to_owned(), parameters: Vec::new(), returns };
        assert_eq!(prototype(&function), "const char *nexmo_text(void)");
    }
}
