import FalconSchema

/// The syntax tree: what PostgreSQL's raw grammar says about a statement, with no name resolved.
/// Values, immutable and shared between sessions by the statement cache. A `location` is a 0-based
/// byte offset into the text that was parsed, -1 when the grammar records none.
public enum AST {
    /// A possibly qualified name: at most catalog, schema, name; the last part is the object.
    public struct Name: Sendable {
        public var parts: [String]
        public init(_ parts: [String]) { self.parts = parts }
        public var last: String { parts.last ?? "" }
        /// The part before the last, if any.
        public var schema: String? { parts.count >= 2 ? parts[parts.count - 2] : nil }
        public var text: String { parts.joined(separator: ".") }
    }

    /// A type as written: `varchar(10)`, `int[]`, `pg_catalog.int4`.
    public struct TypeName: Sendable {
        public var name: Name
        /// Modifier expressions as written: lengths, precision and scale, interval fields.
        public var modifiers: [Expression]
        /// Number of `[]`.
        public var arrayDimensions: Int
        public var isSetOf: Bool
        public var location: Int
    }

    /// A statement and where its text is.
    public struct ParsedStatement: Sendable {
        public var statement: Statement
        /// Byte range of this statement inside the submitted string. Locations inside
        /// `statement` count from the start of the submitted string, not of this statement.
        public var textOffset: Int
        public var textLength: Int
        /// It may nest so deeply that planning and running it need a large stack.
        public var isDeep = false
        /// Identifiers of the text that were longer than names are, as written.
        public var longIdentifiers: [String] = []
    }
}
