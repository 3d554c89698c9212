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
        private let tree: Tree
        public var statement: Statement { tree.statement }
        /// Byte range of this statement inside the submitted string. Locations inside
        /// `statement` count from the start of the submitted string, not of this statement.
        public var textOffset: Int
        public var textLength: Int
        /// How many levels its expressions and queries nest.
        public var depth: Int { tree.depth }
        /// It nests so deeply that planning, running and releasing it need a large stack.
        public var isDeep: Bool { tree.isDeep }
        /// Identifiers of the text that were longer than names are, as written.
        public var longIdentifiers: [String] = []

        public init(statement: Statement, textOffset: Int, textLength: Int, depth: Int) {
            tree = Tree(statement, depth: depth)
            self.textOffset = textOffset
            self.textLength = textLength
        }

        /// Owns the tree, so that the last one to let go of a deep one does so on a large stack.
        private final class Tree: @unchecked Sendable {
            private(set) var statement: Statement
            let depth: Int
            var isDeep: Bool { depth > AST.shallowDepth }

            init(_ statement: Statement, depth: Int) {
                self.statement = statement
                self.depth = depth
            }

            deinit {
                guard isDeep else { return }
                LargeStack.release(statement) { statement = .resetAll }
            }
        }
    }

    /// Deepest tree that is planned, run and released on any thread's stack.
    static let shallowDepth = 150
}
