import FalconSchema

/// What the own text of a query names, by where it stands there: the tables and views, and their columns.
/// A view is stored as text; this is how that text is kept to what it meant when the view was made.
final class NamedReferences {
    /// A relation that FROM names.
    struct Table {
        let name: AST.TableName
        let oid: OID
        let schema: String
        /// Of the system: it is found under its name whatever the search path is.
        let isSystem: Bool
        /// The names of all its columns where it is read.
        let columns: [String]
    }

    /// One column that an expression names, or that a star stands for.
    struct Column {
        let column: RangeColumn
        /// What qualifies it where it stands; nil when nothing does, or when that would mean another one.
        let qualifier: String?
    }

    /// A NATURAL join of what is left of a relation with it.
    struct Natural {
        let right: AST.TableName
        /// What both have.
        let columns: [String]
    }

    private(set) var tables: [Table] = []
    private(set) var naturals: [Natural] = []
    private(set) var columns: [Int: Column] = [:]
    private(set) var stars: [Int: [Column]] = [:]
    /// Where entries of select lists are columns that give the entries their names.
    private(set) var namingItems: Set<Int> = []
    /// `TABLE t`, by where t stands: what it gives.
    private(set) var tableCommands: [Int: [Column]] = [:]
    /// Columns whose names matter to USING and NATURAL joins.
    private var joinedColumns: [RangeColumn] = []
    /// The columns of the tables in FROM; those that are read have slots.
    private var tableColumns: [RangeColumn] = []
    /// Those that have the table's own names.
    private var plainColumns: Set<ObjectIdentifier> = []

    /// A table in FROM.
    func note(
        _ name: AST.TableName, _ oid: OID, schema: String, isSystem: Bool = false,
        columns: [RangeColumn]
    ) {
        tables.append(
            Table(
                name: name, oid: oid, schema: schema, isSystem: isSystem,
                columns: columns.map(\.name)))
        tableColumns += columns
        for column in columns.dropFirst(name.alias?.columns.count ?? 0) {
            plainColumns.insert(ObjectIdentifier(column))
        }
    }

    /// A view in FROM.
    func note(view name: AST.TableName, _ oid: OID, schema: String, columns: [String]) {
        tables.append(
            Table(name: name, oid: oid, schema: schema, isSystem: false, columns: columns))
    }

    /// What a USING or a NATURAL join finds by its name.
    func noteJoined(_ columns: [RangeColumn]) { joinedColumns += columns }

    func noteNatural(_ columns: [String], with right: AST.FromItem) {
        if case .table(let name) = right {
            naturals.append(Natural(right: name, columns: columns))
        }
    }

    /// Whether a join looks for a table's column, or for one of any name in the table, by its name.
    func joins(_ attribute: Int16, of table: OID) -> Bool {
        joinedColumns.contains { $0.tableOID == table && $0.attribute == attribute }
    }

    /// Whether a join looks for a column of this name.
    func joins(name: String) -> Bool { joinedColumns.contains { $0.name == name } }

    func noteTableCommand(_ columns: [Column], at location: Int) {
        if location >= 0 { tableCommands[location] = columns }
    }

    func note(_ column: Column, at location: Int) {
        if location >= 0 { columns[location] = column }
    }

    func noteStar(_ columns: [Column], at location: Int) {
        if location > 0 { stars[location] = columns }
    }

    func noteNamingItem(at location: Int) { namingItems.insert(location) }

    var relations: Set<OID> { Set(tables.map(\.oid)) }

    /// Whether a table's column is read anywhere in the query.
    func reads(_ attribute: Int16, of table: OID) -> Bool {
        tableColumns.contains {
            $0.tableOID == table && $0.attribute == attribute && $0.slot >= 0
        }
    }

    /// Whether it is a table's column under the name that it has there.
    func isPlain(_ column: RangeColumn) -> Bool {
        plainColumns.contains(ObjectIdentifier(column))
    }
}

extension Binder {
    /// Where to note what the text being bound names; nil in texts below it.
    var noted: NamedReferences? { isInStoredText ? nil : names }

    /// A column as it may be written in `scope`: qualified, unless another one would be found so.
    func written(_ column: RangeColumn, in scope: Scope) -> NamedReferences.Column {
        let bare = NamedReferences.Column(column: column, qualifier: nil)
        guard !column.qualifier.isEmpty else { return bare }
        var current: Scope? = scope
        while let level = current {
            let entries = level.entries.filter { $0.name == column.qualifier }
            if let entry = entries.first {
                guard entries.count == 1,
                    entry.columns.first(where: { $0.name == column.name }) === column
                else { return bare }
                return NamedReferences.Column(column: column, qualifier: column.qualifier)
            }
            current = level.parent
        }
        return bare
    }
}
