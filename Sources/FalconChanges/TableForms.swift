import FalconSchema
import FalconStorage

/// The forms of the tables' versions, each made once.
final class TableForms {
    private let schema: SchemaHistory
    private let selection: ChangeSelection
    private var forms: [ObjectIdentifier: TableForm] = [:]
    private var last: TableForm?

    init(_ schema: SchemaHistory, _ selection: ChangeSelection) {
        self.schema = schema
        self.selection = selection
    }

    func form(_ view: TableView) throws(StorageError) -> TableForm {
        if let last, last.view === view { return last }
        // A form holds its view, so an identifier never stands for another one.
        if let known = forms[ObjectIdentifier(view)] {
            last = known
            return known
        }
        let made = try TableForm(
            view, database: schema.databaseName(view.descriptor.database), selection)
        forms[ObjectIdentifier(view)] = made
        last = made
        return made
    }
}
