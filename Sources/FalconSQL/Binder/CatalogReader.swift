import FalconSchema
import FalconStorage

/// What the binder asks of the catalog: the newest committed one plus the transaction's own DDL.
/// Types, functions, operators and casts come from the registries, not from here.
public protocol CatalogReader {
    /// The table named `name` in `schema`, or along the search path when `schema` is nil.
    func table(schema: String?, name: String) throws(SQLError) -> TableDescriptor?
    func table(oid: OID) throws(SQLError) -> TableDescriptor?
    func schemaExists(_ name: String) throws(SQLError) -> Bool
    /// The schemas in which unqualified names are looked up, implicit ones included.
    var searchPath: [String] { get }
    /// The query text of a view, or nil when no such view exists (`schema` as in `table`).
    func viewDefinition(schema: String?, name: String) throws(SQLError) -> ViewDefinition?
    /// A sequence as the table of one row that it is to those who read it (`schema` as in `table`).
    func sequence(schema: String?, name: String) throws(SQLError) -> TableDescriptor?
    /// A guess at the number of rows, for the planner; nil when there is none.
    func estimatedRowCount(of table: TableDescriptor) -> Double?
    /// Roughly how many rows or entries of `table` have a key in `range`; nil when only reading would tell.
    func knownCount(of range: KeyRange, in table: TableDescriptor) -> Double?
    /// How many of `rows` rows have the same values in the first `columns` columns of an index, by ANALYZE; nil when
    /// nobody counted.
    func rowsPerValue(of index: IndexDescriptor, columns: Int, rows: Double) -> Double?
    /// The columns of `table` that foreign keys reference.
    func referencedColumns(of table: TableDescriptor) -> Set<Int16>
    /// False for an index that may lack entries of the rows that are to be read: they are older than it.
    func isUsable(_ index: IndexDescriptor, of table: TableDescriptor) -> Bool
}

extension CatalogReader {
    public func referencedColumns(of table: TableDescriptor) -> Set<Int16> { [] }
    public func isUsable(_ index: IndexDescriptor, of table: TableDescriptor) -> Bool { true }
    public func viewDefinition(
        schema: String?, name: String
    ) throws(SQLError) -> ViewDefinition? { nil }
    public func sequence(
        schema: String?, name: String
    ) throws(SQLError) -> TableDescriptor? { nil }
    public func estimatedRowCount(of table: TableDescriptor) -> Double? { nil }
    public func knownCount(of range: KeyRange, in table: TableDescriptor) -> Double? { nil }
    public func rowsPerValue(
        of index: IndexDescriptor, columns: Int, rows: Double
    ) -> Double? { nil }
}

/// A view: bound anew, as a subquery, in each statement that uses it.
public struct ViewDefinition: Sendable {
    /// Which conditions rows written through it must satisfy: its own, or those of views below, too.
    public enum CheckOption: UInt8, Sendable { case none, local, cascaded }
    public var oid: OID
    public var schema: String
    public var name: String
    public var columns: [String]
    public var query: AST.Select
    public var checkOption: CheckOption
    public init(
        oid: OID, schema: String, name: String, columns: [String], query: AST.Select,
        checkOption: CheckOption = .none
    ) {
        self.checkOption = checkOption
        self.oid = oid
        self.schema = schema
        self.name = name
        self.columns = columns
        self.query = query
    }
}
