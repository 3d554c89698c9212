import FalconSchema
import FalconStorage

/// A version of a table, with all that its lines repeat made once.
package final class TableForm {
    struct Column {
        /// Its place in the decoded row.
        let index: Int
        let type: SQLType
        let isKey: Bool
        let descriptor: ColumnDescriptor
        /// `"name":`
        let label: [UInt8]
        /// `{"name":"…","type":"…","value":`
        let typedLabel: [UInt8]
    }

    struct KeyPart {
        let column: KeyColumn
        let type: SQLType
        let label: [UInt8]
        let typedLabel: [UInt8]
    }

    let view: TableView
    let database: String
    /// The live columns that are shown.
    let columns: [Column]
    /// What a before image holds: all of ``columns``, or with REPLICA IDENTITY USING INDEX the index's.
    let identityColumns: [Column]
    /// Changes name their rows by the columns of an index.
    let isNamedByIndex: Bool
    /// Empty where rows are keyed by the hidden row id.
    let keyParts: [KeyPart]
    let projection: RowProjection
    /// In quotes, as JSON.
    let quotedDatabase: [UInt8]
    let quotedName: [UInt8]
    let quotedSchema: [UInt8]
    let quotedTable: [UInt8]
    /// Its rows are shown: those whose keys lie in ``keyRange``.
    let isSelected: Bool
    package let keyRange: KeyRange
    /// Of the transaction being shown.
    var shownRows = 0
    /// Rows whose old key was deleted and that have yet to come under the new one.
    var pendingMoves = 0
    var isTouched = false

    package var descriptor: TableDescriptor { view.descriptor }
    var name: String { view.name }

    init(
        _ view: TableView, database: String, _ selection: ChangeSelection
    ) throws(StorageError) {
        self.view = view
        self.database = database
        let table = view.descriptor
        let keyed = Set(table.primaryKey.map(\.attribute))
        let identity = (table.identityIndex?.columns).map { Set($0.map(\.attribute)) }
        let columns: [Column] = table.columns.enumerated().compactMap { index, column in
            let isKey = keyed.contains(column.attribute)
            let isNaming = isKey || identity?.contains(column.attribute) ?? false
            guard !column.isDropped, isNaming || selection.shows(column: column.name) else {
                return nil
            }
            return Column(
                index: index, type: column.type, isKey: isKey, descriptor: column,
                label: Self.label(column.name), typedLabel: Self.typedLabel(column))
        }
        self.columns = columns
        isNamedByIndex = identity != nil
        identityColumns =
            identity.map { named in columns.filter { named.contains($0.descriptor.attribute) } }
            ?? columns
        var parts: [KeyPart] = []
        for part in table.primaryKey {
            let index = Int(part.attribute) - 1
            guard table.columns.indices.contains(index) else {
                throw view.damaged("descriptor", nil)
            }
            let column = table.columns[index]
            parts.append(
                KeyPart(
                    column: part, type: column.type, label: Self.label(column.name),
                    typedLabel: Self.typedLabel(column)))
        }
        keyParts = parts
        projection = RowProjection(inPlace: columns.map(\.index), of: table)
        quotedDatabase = Self.quoted(database)
        quotedName = Self.quoted(view.name)
        quotedSchema = Self.quoted(table.schema)
        quotedTable = Self.quoted(table.name)
        isSelected = selection.shows(table)
        keyRange = isSelected ? try selection.keys.range(of: table) : .all
    }

    static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONLineWriter.appendQuoted(text, to: &bytes)
        return bytes
    }

    private static func label(_ name: String) -> [UInt8] { quoted(name) + Array(":".utf8) }

    private static func typedLabel(_ column: ColumnDescriptor) -> [UInt8] {
        Array("{\"name\":".utf8) + quoted(column.name) + Array(",\"type\":".utf8)
            + quoted(TypeNames.format(column.type)) + Array(",\"value\":".utf8)
    }
}
