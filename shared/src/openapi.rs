//! What the OpenAPI document says alike of every body, and a derive cannot know.
//!
//! The server applies [`Conventions`] to the document that utoipa collects from the handlers. They make true what the
//! wire does everywhere: an absent field is left out and never `null`, a page refers to its items by name, and a point
//! has two numbers. They also write out the pattern of text, which no attribute could share.

use utoipa::{
    Modify,
    openapi::{
        Object, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Schema,
        path::Operation,
        schema::{AllOf, Array, ArrayItems, Components, OneOf, SchemaType, Type},
    },
};

/// How the name of a page's schema begins; the name of its items' schema follows.
const PAGE_OF: &str = "ListPage_";

/// What a field's attribute says in place of [`TEXT`].
const PRINTABLE: &str = "printable";

/// The same for a field whose empty text has a meaning.
const PRINTABLE_OR_EMPTY: &str = "printable or empty";

/// Text for people: not only blanks, and no control characters but line breaks. The server refuses all other.
const TEXT: &str = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x09\x0b-\x1f\x7f-\x9f]*$";

const COMPONENTS: &str = "#/components/schemas/";

/// The wire's conventions, as a modifier of the document.
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        document.paths.paths.values_mut().flat_map(operations).for_each(correct_parameters);
        if let Some(components) = &mut document.components {
            components.schemas.values_mut().for_each(correct);
            name_items_of_pages(components);
        }
    }
}

/// The schema of a text that is one of `words`.
pub(crate) fn words<const N: usize>(words: [&str; N], description: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some(description)).build()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
}

fn correct_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema.iter_mut().for_each(correct);
        }
    }
}

fn correct(schema: &mut RefOr<Schema>) {
    if let Some(only) = left_without_null(schema) {
        *schema = only;
    }
    match schema {
        RefOr::T(Schema::Object(object)) => correct_object(object),
        RefOr::T(Schema::Array(array)) => correct_array(array),
        RefOr::T(Schema::OneOf(OneOf { items, .. }) | Schema::AllOf(AllOf { items, .. })) => {
            items.iter_mut().for_each(correct);
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn correct_object(object: &mut Object) {
    remove_null(&mut object.schema_type);
    match object.pattern.as_deref() {
        Some(PRINTABLE) => object.pattern = Some(TEXT.to_owned()),
        Some(PRINTABLE_OR_EMPTY) => object.pattern = Some(format!("^$|{TEXT}")),
        _ => {}
    }
    object.properties.values_mut().for_each(correct);
}

fn correct_array(array: &mut Array) {
    remove_null(&mut array.schema_type);
    let ArrayItems::RefOrSchema(items) = &mut array.items else { return };
    correct(items);
    if let RefOr::T(Schema::Array(point)) = &mut **items
        && has_numbers(point)
    {
        (point.min_items, point.max_items) = (Some(2), Some(2));
    }
}

fn has_numbers(array: &Array) -> bool {
    let ArrayItems::RefOrSchema(items) = &array.items else { return false };
    matches!(&**items, RefOr::T(Schema::Object(item)) if item.schema_type == SchemaType::Type(Type::Number))
}

/// An optional field of a named type is collected as a choice between that type and null.
fn left_without_null(schema: &RefOr<Schema>) -> Option<RefOr<Schema>> {
    let RefOr::T(Schema::OneOf(OneOf { items, .. })) = schema else { return None };
    let mut others = items.iter().filter(|item| !is_null(item));
    let only = others.next().filter(|_| items.len() == 2)?;
    others.next().is_none().then(|| only.clone())
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

fn remove_null(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type {
        types.retain(|kind| *kind != Type::Null);
        if let [only] = &types[..] {
            *schema_type = SchemaType::Type(only.clone());
        }
    }
}

/// A derive writes the items of a generic page into it, and client generators then make a second type of them.
fn name_items_of_pages(components: &mut Components) {
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for (page, schema) in &mut components.schemas {
        let Some(item) = page.strip_prefix(PAGE_OF) else { continue };
        assert!(names.iter().any(|name| name == item), "the items of {page} have no schema of their own");
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        if let Some(RefOr::T(Schema::Array(items))) = object.properties.get_mut("items") {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::new(format!("{COMPONENTS}{item}")).into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use utoipa::OpenApi as _;

    use super::*;
    use crate::api::{
        CourierView, CreateOrder, ListPage, console::ImportPreview, console::MAX_COUNT, console::MAX_IMPORT_ROWS,
        console::OrderCounts, courier::Tour, courier::TrackerCreated, exception::AcknowledgeException,
        exception::MAX_EXCEPTION_NOTE_CHARS, proof::MAX_SIGNATURE_POINTS, proof::PIN_DIGITS, proof::ProofBody,
    };

    fn schemas() -> Value {
        #[derive(utoipa::OpenApi)]
        #[openapi(
            components(schemas(
                AcknowledgeException, CourierView, CreateOrder, ImportPreview, ListPage<CourierView>, OrderCounts, ProofBody, Tour,
                TrackerCreated
            )),
            modifiers(&Conventions)
        )]
        struct Document;

        let document = serde_json::to_value(Document::openapi()).expect("plain values");
        document["components"]["schemas"].clone()
    }

    #[test]
    fn an_absent_field_is_never_null() {
        let schemas = schemas();
        let courier = &schemas["CourierView"];
        assert_eq!(courier["properties"]["phone"]["type"], "string");
        assert_eq!(courier["properties"]["presence"]["$ref"], "#/components/schemas/PresenceView");
        assert!(!courier["required"].as_array().expect("a list").contains(&json!("phone")));
        assert!(!schemas.to_string().contains("\"null\""));
    }

    #[test]
    fn a_page_refers_to_its_items_by_name() {
        let page = &schemas()["ListPage_CourierView"];
        assert_eq!(page["properties"]["items"]["items"], json!({ "$ref": "#/components/schemas/CourierView" }));
    }

    #[test]
    fn a_point_has_two_numbers() {
        let schemas = schemas();
        let point = &schemas["Tour"]["properties"]["line"]["items"];
        assert_eq!((&point["minItems"], &point["maxItems"]), (&json!(2), &json!(2)));
        let point = &schemas["ProofBody"]["oneOf"][0]["properties"]["strokes"]["items"]["items"];
        assert_eq!((&point["minItems"], &point["maxItems"]), (&json!(2), &json!(2)));
        let pair = &schemas["TrackerCreated"]["properties"]["settings"]["items"];
        assert_eq!(
            (&pair["items"]["type"], &pair["minItems"], &pair["maxItems"]),
            (&json!("string"), &json!(2), &json!(2))
        );
    }

    /// Schema attributes take literals only.
    #[test]
    fn the_limits_are_those_that_the_server_checks() {
        let schemas = schemas();
        let note = &schemas["AcknowledgeException"]["properties"]["note"];
        assert_eq!(note["maxLength"], MAX_EXCEPTION_NOTE_CHARS);
        assert_eq!(schemas["CreateOrder"]["properties"]["reference"]["pattern"], TEXT);
        let strokes = &schemas["ProofBody"]["oneOf"][0]["properties"]["strokes"];
        assert_eq!(strokes["maxItems"], MAX_SIGNATURE_POINTS);
        let pin = &schemas["ProofBody"]["oneOf"][1]["properties"]["pin"];
        assert_eq!(pin["pattern"], format!("^[0-9]{{{PIN_DIGITS}}}$"));
        assert_eq!(schemas["OrderCounts"]["properties"]["active"]["maximum"], MAX_COUNT + 1);
        assert_eq!(schemas["ImportPreview"]["properties"]["rows"]["maxItems"], MAX_IMPORT_ROWS);
    }
}
