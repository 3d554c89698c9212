import FalconSchema

/// Views that give a table's columns names of their own keep to the same columns when it gets others or loses
/// some: such names go by place.
extension DefinitionRunner {
    /// A table's columns as they are about to change.
    enum ColumnChange {
        case added(String)
        /// Its place among the columns there were.
        case dropped(Int)

        /// What one reading of the table calls its columns afterwards; nil: it needs no word.
        func columns(_ table: NamedReferences.Table, _ names: NamedReferences) -> [String]? {
            let given = table.name.alias?.columns ?? []
            switch self {
            case .dropped(let place):
                guard !given.isEmpty, table.columns.indices.contains(place) else { return nil }
                var columns = table.columns
                columns.remove(at: place)
                return columns
            case .added(let name):
                guard given.contains(name) || names.joins(name: name) else { return nil }
                var number = 1
                var fresh = name + "_1"
                while table.columns.contains(fresh) || names.joins(name: fresh) {
                    number += 1
                    fresh = "\(name)_\(number)"
                }
                return table.columns + [fresh]
            }
        }
    }

    /// What an action changes of a table's columns by place; nil: nothing.
    func columnChange(_ action: AST.AlterTableAction, of table: TableDescriptor) -> ColumnChange? {
        switch action {
        case .addColumn(let definition, _): .added(definition.name)
        case .dropColumn(let name, _, _):
            table.columns.filter { !$0.isDropped }.firstIndex { $0.name == name }
                .map { .dropped($0) }
        default: nil
        }
    }

    /// The views that need a word about the change, as they are before it.
    func viewsMinding(
        _ change: ColumnChange?, of table: OID
    ) throws(SQLError) -> [(view: ViewEntry, names: NamedReferences)] {
        guard let change else { return [] }
        func minds(_ names: NamedReferences) -> Bool {
            names.tables.contains { $0.oid == table && change.columns($0, names) != nil }
        }
        // Looked at without their locks first: nearly always there are none.
        let isAny = transaction.catalog.views.values.contains { view in
            references(of: view).map(minds) ?? false
        }
        return isAny ? try viewsNaming([table]).filter { minds($0.names) } : []
    }

    /// Keeps the views, those that went with the change aside, to the columns that they read.
    func keepColumns(
        in views: [(view: ViewEntry, names: NamedReferences)], _ change: ColumnChange?,
        of table: OID
    ) throws(SQLError) {
        guard let change else { return }
        let left = views.filter { transaction.catalog.views[$0.view.oid] != nil }
        try rename(in: left) { names, bytes in
            ViewText.keepingNames(of: table, names, in: bytes) { change.columns($0, names) } ?? []
        }
    }
}
