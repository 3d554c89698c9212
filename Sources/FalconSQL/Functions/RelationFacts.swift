/// What inquiry functions need to know of a relation.
public struct RelationFacts: Sendable {
    public enum Kind: Sendable { case table, index, view, sequence }
    public var name: String
    public var schema: String
    public var kind: Kind
    /// Column names by number, nil for dropped ones. Empty where they are not kept.
    public var columns: [String?]

    public init(name: String, schema: String, kind: Kind, columns: [String?]) {
        self.name = name
        self.schema = schema
        self.kind = kind
        self.columns = columns
    }
}
