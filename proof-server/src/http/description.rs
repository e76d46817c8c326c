//! The description of what can be asked over HTTP: OpenAPI 3.1, made of the table of routes and of the types that are
//! read and written.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    body::BYTES,
    problem::{self, Described},
    routes::{Answer, Route, Shape, bytes, shape},
    values::JSON,
};

/// The description of `routes`.
pub(super) fn of(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut shapes = settings.for_serialize().into_generator();
    let mut paths = Map::new();
    for route in routes {
        let operation = operation(route, &mut shapes);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sextant proof server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Proofs for Ethereum light clients. Requests are those of Sextant's own protocol, and so are the \
                            errors: `code` and `name` are the protocol's.",
        },
        // Some servers want to know who asks.
        "security": [{}, { "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "schemas": shapes.take_definitions(true),
        },
    })
}

fn operation(route: &Route, shapes: &mut SchemaGenerator) -> Value {
    let mut answers: Map<String, Value> =
        route.answers.iter().map(|answer| (answer.status.as_str().into(), told(answer, shapes))).collect();
    let problem = content(problem::KIND, shape::<Described>, shapes);
    answers.insert("default".into(), json!({ "description": "What is wrong.", "content": problem }));
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "parameters": parameters(route, shapes),
        "responses": answers,
    });
    if let Some(brought) = &route.body {
        let mut kinds = content(BYTES, bytes, shapes);
        if let Some(shape) = brought.told {
            kinds[JSON] = json!({ "schema": read(shape, shapes) });
        }
        operation["requestBody"] =
            json!({ "description": brought.about, "required": true, "content": kinds });
    }
    operation
}

fn told(answer: &Answer, shapes: &mut SchemaGenerator) -> Value {
    let mut told = json!({ "description": answer.about });
    if let Some((kind, shape)) = answer.content {
        told["content"] = content(kind, shape, shapes);
    }
    told
}

fn content(kind: &str, shape: Shape, shapes: &mut SchemaGenerator) -> Value {
    json!({ kind: { "schema": shape(shapes) } })
}

/// The shape of what is read, whole in its place: what is defined for all is what is written.
fn read(shape: Shape, shapes: &SchemaGenerator) -> Value {
    let settings =
        shapes.settings().clone().for_deserialize().with(|settings| settings.inline_subschemas = true);
    Value::from(shape(&mut settings.into_generator()))
}

/// The names in the path, and the fields of what may stand behind the question mark.
fn parameters(route: &Route, shapes: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    if route.path.contains("{id}") {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true, "description": "The job's id.",
            "schema": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$" },
        }));
    }
    let Some(shape) = route.query else { return parameters };
    let fields = read(shape, shapes);
    for (name, field) in fields["properties"].as_object().into_iter().flatten() {
        let mut field = field.clone();
        let about = field.as_object_mut().and_then(|field| field.remove("description"));
        let required = fields["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
        parameters.push(json!({
            "name": name, "in": "query", "required": required, "description": about, "schema": field,
        }));
    }
    parameters
}
