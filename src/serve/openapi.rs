//! The `OpenAPI` 3.1 document of the service, from the list of routes.

use serde_json::Value;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema, SecurityRequirement,
};

use super::format::Format;
use super::problem::KINDS;
use super::route::{Answer, Column, Data, Kind, Parameter, Place, Route};

/// The version of the API.
const VERSION: &str = "1.0.0";

/// The document over some routes.
#[must_use]
pub fn document(routes: &[Route]) -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in routes {
        let method = match route.answer {
            Answer::Change(_) => HttpMethod::Post,
            _ => HttpMethod::Get,
        };
        paths = paths.path(route.path, PathItem::new(method, operation(route)));
    }
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .security_scheme("token", scheme)
        .schema("Problem", problem())
        .response("Problem", problem_response())
        .build();
    let about = "Information-spillover indicators of exporters. Every answer is about one vintage, \
                 which is in the header X-Vintage and in JSON. A suffix of the path or the header \
                 Accept chooses the format. Unknown parameters are errors.";
    let info = InfoBuilder::new().title("spillover").version(VERSION).description(Some(about));
    OpenApiBuilder::new().info(info.build()).paths(paths).components(Some(components)).build()
}

fn operation(route: &Route) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.name))
        .summary(Some(route.about))
        .parameters(Some(route.parameters.iter().map(parameter)))
        .response("200", answer(route))
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")));
    if route.data != Data::Open {
        operation = operation.security(SecurityRequirement::new("token", [""; 0]));
        // Without a token file, no token is needed to read.
        if !matches!(route.answer, Answer::Change(_)) {
            operation = operation.security(SecurityRequirement::default());
        }
    }
    operation
}

fn parameter(of: &Parameter) -> ParameterBuilder {
    let (place, required) = match of.place {
        Place::Path => (ParameterIn::Path, Required::True),
        Place::Query => (ParameterIn::Query, Required::False),
        Place::Needed => (ParameterIn::Query, Required::True),
    };
    ParameterBuilder::new()
        .name(of.name)
        .parameter_in(place)
        .required(required)
        .description(Some(of.about))
        .schema(Some(schema(of.kind).build()))
}

/// The pattern of a text without control characters, which no address may have.
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The same, of one character or more.
const NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";
/// The pattern of a month; an empty text is none.
const MONTH: &str = "^((19|20|21)[0-9]{2}-?(0[1-9]|1[0-2]))?$";
/// The pattern of a vintage or a date.
const AS_OF: &str = "^([0-9]{1,9}|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$";

/// The type of a value.
fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Text | Kind::Time | Kind::Month | Kind::AsOf | Kind::Name | Kind::OneOf(_) => {
            Type::String
        }
        Kind::Integer | Kind::Count(_) => Type::Integer,
        Kind::Number => Type::Number,
        Kind::Flag => Type::Boolean,
    }
}

fn schema(kind: Kind) -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(type_of(kind));
    match kind {
        Kind::Text => object.pattern(Some(PLAIN)),
        Kind::Name => object.pattern(Some(NAME)),
        Kind::Month => object.pattern(Some(MONTH)),
        Kind::AsOf => object.pattern(Some(AS_OF)),
        Kind::Count(most) => object.minimum(Some(1)).maximum(Some(most)),
        Kind::Integer => object.minimum(Some(0)).maximum(Some(u32::MAX)),
        Kind::OneOf(words) => object.enum_values(Some(words.iter().copied())),
        Kind::Number | Kind::Flag | Kind::Time => object,
    }
}

/// A value that may be absent.
fn nullable(column: &Column) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![type_of(column.kind), Type::Null]))
        .description(Some(column.about))
        .build()
}

fn answer(route: &Route) -> Response {
    let answer = ResponseBuilder::new().description(route.about);
    let of =
        |kind: Type| ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind)));
    match route.answer {
        Answer::Text(kind) => answer.content(kind, of(Type::String).build()),
        Answer::Events => answer.content("text/event-stream", of(Type::String).build()),
        Answer::Document => answer.content("application/json", of(Type::Object).build()),
        Answer::Rows => formats(answer, route, &rows(ObjectBuilder::new())),
        Answer::Records(columns) | Answer::Change(columns) => {
            let add =
                |row: ObjectBuilder, column| row.property(column_name(column), nullable(column));
            formats(answer, route, &rows(columns.iter().fold(ObjectBuilder::new(), add)))
        }
    }
    .build()
}

fn column_name(column: &Column) -> &'static str {
    column.name
}

/// The JSON object around rows.
fn rows(row: ObjectBuilder) -> Schema {
    let integer = || ObjectBuilder::new().schema_type(Type::Integer);
    let rows = ArrayBuilder::new().items(row.schema_type(Type::Object));
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("vintage", integer())
        .property("newest_vintage", integer())
        .property("publication", integer())
        .property("rows", rows);
    let needed = ["vintage", "newest_vintage", "publication"].into_iter();
    needed.fold(object, ObjectBuilder::required).into()
}

fn formats(answer: ResponseBuilder, route: &Route, json: &Schema) -> ResponseBuilder {
    let mut answer = answer;
    for format in Format::all().filter(|format| route.has(*format)) {
        let content = match format {
            Format::Json => ContentBuilder::new().schema(Some(json.clone())),
            _ => ContentBuilder::new(),
        };
        answer = answer.content(format.media_type(), content.build());
    }
    answer
}

fn problem() -> Object {
    let codes = KINDS.iter().map(|(code, ..)| Value::from(*code));
    let text = || ObjectBuilder::new().schema_type(Type::String);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("type", text())
        .property("title", text())
        .property("status", ObjectBuilder::new().schema_type(Type::Integer))
        .property("code", text().enum_values(Some(codes)))
        .property("detail", text())
        .required("code")
        .required("status")
        .required("detail")
        .build()
}

fn problem_response() -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    let content = ContentBuilder::new().schema::<RefOr<Schema>>(Some(schema)).build();
    ResponseBuilder::new()
        .description("The request failed.")
        .content("application/problem+json", content)
        .build()
}
