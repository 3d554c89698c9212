import FalconChanges
import FalconSchema
import FalconStorage

/// Turns stored rows and keys into JSON objects by column name.
struct RowDecoder {
    /// Integers beyond 2^53 and every numeric as strings, for readers whose numbers are doubles.
    var wideNumbersAsStrings = false
    private let settings = DisplaySettings()

    init(wideNumbersAsStrings: Bool = false) {
        self.wideNumbersAsStrings = wideNumbersAsStrings
    }

    /// Every live column of a row value.
    func row(
        _ bytes: UnsafeRawBufferPointer, of table: TableView
    ) throws(StorageError) -> [(String, JSONValue)] {
        var values: [Datum] = []
        do throws(SQLError) { values = try table.codec.decodeAll(bytes) } catch {
            throw table.damaged("row", error)
        }
        var fields: [(String, JSONValue)] = []
        for (column, value) in zip(table.descriptor.columns, values) where !column.isDropped {
            fields.append((column.name, json(value, type: column.type.oid)))
        }
        return fields
    }

    /// The columns of a row's key; for a table without primary key `_rowid`.
    func key(
        _ bytes: UnsafeRawBufferPointer, of table: TableView
    ) throws(StorageError) -> [(String, JSONValue)] {
        let descriptor = table.descriptor
        if descriptor.hasHiddenRowID {
            guard let row = KeyCodec.rowID(endOf: bytes) else {
                throw table.damaged("key", nil)
            }
            return [("_rowid", .unsigned(row))]
        }
        var reader = ByteReader(bytes)
        guard reader.skip(KeyCodec.prefixLength) else { throw table.damaged("key", nil) }
        var fields: [(String, JSONValue)] = []
        for part in descriptor.primaryKey {
            let index = Int(part.attribute) - 1
            guard descriptor.columns.indices.contains(index) else {
                throw table.damaged("descriptor", nil)
            }
            let column = descriptor.columns[index]
            do throws(SQLError) {
                let value = try KeyCodec.decode(
                    &reader, type: column.type.oid, descending: part.isDescending,
                    nullsFirst: part.nullsFirst)
                fields.append((column.name, json(value, type: column.type.oid)))
            } catch {
                throw table.damaged("key", error)
            }
        }
        return fields
    }

    /// A value in JSON: booleans and numbers as such, bytes as `\x` and hex, the rest in its SQL
    /// text form.
    func json(_ value: Datum, type: OID) -> JSONValue {
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let number) where type == .int2 || type == .int4 || type == .int8 || type == .oid:
            let isExact = number.magnitude <= 1 << 53
            return wideNumbersAsStrings && !isExact ? .string(String(number)) : .int(number)
        case .float(let number) where type == .float8: return .double(number)
        case .numeric(let number):
            let text = TypeIO.text(value, type: type, settings: settings)
            return wideNumbersAsStrings || !number.isFinite ? .string(text) : .number(text)
        case .text(let text): return .string(text)
        default: return .string(TypeIO.text(value, type: type, settings: settings))
        }
    }
}
