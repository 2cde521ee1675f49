//! Generates `docs/abi.json`, the whole interface for programs that generate bindings. Each constant, status,
//! field and function is on a separate line, so that a change is easy to see in a diff.

use serde_json::{Value, json};

use crate::Failure;
use crate::c::spelled;
use crate::interface::{Field, Function, Interface, Struct, Type};
use crate::layout::{BITS_32, BITS_64, layout};

/// Returns the interface as JSON.
pub(crate) fn json(interface: &Interface) -> Result<String, Failure> {
    let constants = interface.constants().map(|constant| {
        json!({ "name": constant.name, "type": spelled(&constant.of), "value": constant.value }).to_string()
    });
    let statuses = interface.statuses().into_iter().map(|status| {
        let (name, number, text) = (status.name, status.number, status.text);
        json!({ "name": name, "number": number, "retryable": status.is_retryable, "text": text }).to_string()
    });
    let structs: Vec<String> = interface.structs().map(|item| of_struct(interface, item)).collect::<Result<_, _>>()?;
    let lists = [
        list("constants", constants.collect()),
        list("statuses", statuses.collect()),
        list("structs", structs),
        list("functions", interface.functions().map(of_function).collect()),
    ];
    let notice = Value::from(crate::NOTICE);
    Ok(format!("{{\n\"notice\": {notice},\n\"version\": \"{}\",\n{}\n}}\n", interface.version, lists.join(",\n")))
}

fn list(name: &str, items: Vec<String>) -> String {
    format!("\"{name}\": [\n{}\n]", items.join(",\n"))
}

/// Returns a struct as JSON, with each field on a separate line.
fn of_struct(interface: &Interface, item: &Struct) -> Result<String, Failure> {
    let (wide, narrow) = (layout(interface, item, BITS_64)?, layout(interface, item, BITS_32)?);
    let layouts = wide.fields.iter().zip(&narrow.fields);
    let fields = item.fields.iter().zip(layouts).map(|(field, (wide, narrow))| {
        json!({
            "name": field.name,
            "type": of_field(&field.of),
            "offset_64": wide.offset,
            "size_64": wide.size,
            "offset_32": narrow.offset,
            "size_32": narrow.size,
        })
        .to_string()
    });
    Ok(format!(
        "{{\"name\":\"{}\",\"size_64\":{},\"size_32\":{},\"first_size_64\":{},\"first_size_32\":{},\"fields\":[\n{}\n]}}",
        item.name,
        wide.size,
        narrow.size,
        item.first_size.0,
        item.first_size.1,
        fields.collect::<Vec<_>>().join(",\n")
    ))
}

fn of_field(of: &Type) -> String {
    match of {
        Type::Array { of, length } => format!("{}[{length}]", spelled(of)),
        other => spelled(other),
    }
}

fn of_function(function: &Function) -> String {
    let parameter = |field: &Field| json!({ "name": field.name, "type": spelled(&field.of) });
    let parameters: Vec<Value> = function.parameters.iter().map(parameter).collect();
    json!({ "name": function.name, "returns": spelled(&function.returns), "parameters": parameters }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    #[test]
    fn the_file_is_json_with_offsets_for_both_widths() {
        let text = json(&interface("struct_size: u32, pub flags: u32, pub a: *const c_char, pub b: i64", "")).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let field = &read["structs"][0]["fields"][3];
        assert_eq!((&field["offset_64"], &field["offset_32"]), (&json!(16), &json!(12)));
        assert_eq!(read["functions"][0]["parameters"][1], json!({ "name": "text", "type": "const char *" }));
        assert_eq!(read["statuses"][1]["retryable"], json!(true));
    }
}
