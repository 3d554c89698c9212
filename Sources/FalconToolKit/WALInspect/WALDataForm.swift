import ArgumentParser
import FalconStorage

/// How much of keys or values is shown.
enum WALDataForm: String, CaseIterable, ExpressibleByArgument {
    case none
    /// XXH3-64 of the bytes: tells equal ones from others. It hides nothing that can be guessed.
    case hash
    case hex
    /// UTF-8, other bytes as `\xNN`.
    case text
    /// By column where the table is known, else hex.
    case row
}

/// Shows keys and values in the forms that were asked for.
struct WALDataPrinter {
    var keys = WALDataForm.none
    var values = WALDataForm.none
    private let decoder = RowDecoder()

    init(keys: WALDataForm, values: WALDataForm) {
        self.keys = keys
        self.values = values
    }

    func key(_ bytes: UnsafeRawBufferPointer, _ names: WALNames) -> JSONValue? {
        guard keys == .row else { return Self.plain(bytes, keys) }
        guard let table = names.schema.table(of: bytes), bytes.count > 8 else {
            return .string(Self.hex(bytes))
        }
        do throws(StorageError) {
            return .object(try decoder.key(bytes, of: table))
        } catch {
            return .string(Self.hex(bytes))
        }
    }

    /// The value of `operation`, or the upper bound of a range; nil when there is none to show.
    func value(_ operation: WALOperation, _ names: WALNames) -> JSONValue? {
        switch operation.kind {
        case .delete: nil
        case .rangeDelete: key(operation.value, names)
        default: row(operation.value, operation, names)
        }
    }

    func before(_ operation: WALOperation, _ names: WALNames) -> JSONValue? {
        operation.before.flatMap { row($0, operation, names) }
    }

    private func row(
        _ bytes: UnsafeRawBufferPointer, _ operation: WALOperation, _ names: WALNames
    ) -> JSONValue? {
        guard values == .row else { return Self.plain(bytes, values) }
        guard operation.operationClass == .row,
            let table = names.schema.table(of: operation.key)
        else { return .string(Self.hex(bytes)) }
        do throws(StorageError) {
            return .object(try decoder.row(bytes, of: table))
        } catch {
            return .string(Self.hex(bytes))
        }
    }

    private static func plain(
        _ bytes: UnsafeRawBufferPointer, _ form: WALDataForm
    ) -> JSONValue? {
        switch form {
        case .none: nil
        case .hash: .string(hash(bytes))
        case .hex, .row: .string(hex(bytes))
        case .text: .string(text(bytes))
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func hash(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = String(Checksum.xxh3(bytes), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != 0x5C }) || bytes.isEmpty,
            let whole = String(validating: bytes, as: UTF8.self)
        {
            return whole
        }
        var text: [UInt8] = []
        for byte in bytes {
            if byte == 0x5C {
                text += [0x5C, 0x5C]
            } else if (0x20..<0x7F).contains(byte) {
                text.append(byte)
            } else {
                text += [0x5C, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
