import FalconSchema

/// What a modification writes to: a table, perhaps through views that PostgreSQL calls automatically
/// updatable.
final class WriteTarget {
    /// A view on the way from the name to the table.
    struct Layer {
        var view: ViewDefinition
        var core: AST.SelectCore
        /// What its query calls the relation below.
        var source: AST.TableName
        /// The schema of the relation below.
        var sourceSchema: String
    }

    /// A column as the statement sees it, and the table's column behind it; attribute 0 when there is
    /// none, and writing it is refused.
    struct Column {
        var name: String
        var attribute: Int16
    }

    let table: TableDescriptor
    /// Innermost first; empty for a table.
    let layers: [Layer]
    /// The name and schema of what the statement names.
    let name: String
    let schema: String
    var columns: [Column] = []

    var isView: Bool { !layers.isEmpty }

    init(table: TableDescriptor) {
        self.table = table
        layers = []
        name = table.name
        schema = table.schema
        columns = table.columns.filter { !$0.isDropped }.map {
            Column(name: $0.name, attribute: $0.attribute)
        }
    }

    init(_ view: ViewDefinition, _ layer: Layer, over inner: WriteTarget) {
        table = inner.table
        layers = inner.layers + [layer]
        name = view.name
        schema = view.schema
    }

    /// Whether new rows must satisfy the layer's condition: by its own CHECK OPTION, or by a CASCADED
    /// one above.
    var checkedLayers: [Int] {
        var result: [Int] = []
        var isCascaded = false
        for index in layers.indices.reversed() {
            let option = layers[index].view.checkOption
            if isCascaded || option != .none { result.append(index) }
            if option == .cascaded { isCascaded = true }
        }
        return result.reversed()
    }
}

/// What is done to a target, for messages.
enum WriteVerb {
    case insert, update, delete

    var refusal: String {
        switch self {
        case .insert: "cannot insert into"
        case .update: "cannot update"
        case .delete: "cannot delete from"
        }
    }
    var hint: String {
        let (doing, word) =
            switch self {
            case .insert: ("inserting into", "INSERT")
            case .update: ("updating", "UPDATE")
            case .delete: ("deleting from", "DELETE")
            }
        return "To enable \(doing) the view, provide an INSTEAD OF \(word) trigger or an "
            + "unconditional ON \(word) DO INSTEAD rule."
    }
}
