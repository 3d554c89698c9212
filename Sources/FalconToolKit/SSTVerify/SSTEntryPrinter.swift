import FalconSchema
import FalconStorage

/// Shows entries of tables: what they are always, keys and values as far as was asked for.
struct SSTEntryPrinter {
    let keys: SSTVerify.KeyDisplay
    let values: SSTVerify.KeyDisplay
    let names: WALNames
    private let decoder = RowDecoder()

    init(keys: SSTVerify.KeyDisplay, values: SSTVerify.KeyDisplay, names: WALNames) {
        self.keys = keys
        self.values = values
        self.names = names
    }

    func record(
        _ entry: TableEntries.Entry, _ path: String, level: Int?
    ) -> [(String, JSONValue)] {
        let isTombstone = entry.kind == .delete || entry.kind == .rangeDelete
        let place = entry.place
        return [
            ("file", .string(path)), ("level", level.map(JSONValue.count) ?? .null),
            ("block", .unsigned(entry.blockOffset)), ("offset", .count(entry.offsetInBlock)),
            ("kind", .string(WALRecordText.name(entry.kind))),
            ("timestamp", .unsigned(entry.timestamp.rawValue)),
            ("commit_time", .string(ToolTime.format(entry.timestamp))),
            ("storage", .text(names.storage(of: entry.key))),
            ("key_bytes", .count(entry.key.count)),
            ("value_bytes", isTombstone ? .null : .count(valueBytes(entry))),
            ("key", key(entry.key) ?? .null),
            ("to", entry.kind == .rangeDelete ? key(entry.value) ?? .null : .null),
            ("value", value(entry) ?? .null),
            ("blob_file", place.map { .string(FileNames.hex($0.file)) } ?? .null),
            ("blob_offset", place.map { .unsigned($0.offset) } ?? .null),
        ]
    }

    func line(_ entry: TableEntries.Entry) -> String {
        var text =
            "  block \(entry.blockOffset)+\(entry.offsetInBlock)  "
            + "\(ToolTime.format(entry.timestamp))  \(WALRecordText.name(entry.kind))"
        if let storage = names.storage(of: entry.key) { text += "  \(storage)" }
        text += "  key " + plain(key(entry.key), keys, entry.key.count)
        switch entry.kind {
        case .delete: break
        case .rangeDelete: text += "  to " + plain(key(entry.value), keys, entry.value.count)
        default:
            text += "  value " + plain(value(entry), values, valueBytes(entry))
            if let place = entry.place {
                text += " at \(place.offset) of blob file \(FileNames.hex(place.file))"
            }
        }
        return text
    }

    private func plain(
        _ shown: JSONValue?, _ form: SSTVerify.KeyDisplay, _ bytes: Int
    ) -> String {
        guard let shown else { return "\(bytes) bytes" }
        if case .string(let text) = shown {
            return form == .hash ? "#" + text : text.isEmpty ? "''" : text
        }
        return shown.encoded
    }

    private func valueBytes(_ entry: TableEntries.Entry) -> Int {
        entry.place.map { Int($0.valueBytes) } ?? entry.value.count
    }

    private func key(_ bytes: UnsafeRawBufferPointer) -> JSONValue? {
        if keys == .row, bytes.count > 8, let table = names.schema.table(of: bytes) {
            do throws(StorageError) {
                return .object(try decoder.key(bytes, of: table))
            } catch {}  // in hex then
        }
        return shown(bytes, keys)
    }

    /// Nil for a tombstone, and for a value that is not in the table.
    private func value(_ entry: TableEntries.Entry) -> JSONValue? {
        switch entry.kind {
        case .delete, .rangeDelete, .valueReference: return nil
        case .put, .intent, .merge: break
        }
        if values == .row, let table = names.schema.table(of: entry.key) {
            do throws(StorageError) {
                return .object(try decoder.row(entry.value, of: table))
            } catch {}  // in hex then
        }
        return shown(entry.value, values)
    }

    private func shown(
        _ bytes: UnsafeRawBufferPointer, _ form: SSTVerify.KeyDisplay
    ) -> JSONValue? {
        switch form {
        case .none: nil
        case .hash: .string(WALDataPrinter.hash(bytes))
        case .hex, .row: .string(WALDataPrinter.hex(bytes))
        case .text: .string(WALDataPrinter.text(bytes))
        }
    }
}
