import Glibc

/// A JSON text as a flat array of entries over its bytes: no value is copied until asked for.
///
/// Made for libpg_query's output: trusted to be JSON, yet every index is checked, since a damaged
/// text must end in an error and not in a trap. Entries of an object are key, value, key, value….
final class JSONTape {
    enum Kind: UInt8 { case object, array, string, escapedString, number, yes, no, null }

    struct Entry {
        var offset: UInt32
        var length: UInt32
        /// The index after this entry's whole subtree.
        var next: UInt32
        var kind: Kind
    }

    let bytes: UnsafePointer<UInt8>
    let byteCount: Int
    let entries: UnsafeMutablePointer<Entry>
    let capacity: Int
    private(set) var count = 0

    /// `bytes` must outlive the tape. Nil when the text is not JSON.
    init?(bytes: UnsafePointer<UInt8>, count byteCount: Int) {
        guard byteCount < Int(UInt32.max) else { return nil }
        self.bytes = bytes
        self.byteCount = byteCount
        capacity = byteCount / 2 + 2
        entries = .allocate(capacity: capacity)
        var position = 0
        if !value(&position, depth: 0) { return nil }
    }

    deinit { entries.deallocate() }

    var root: JSONNode { JSONNode(bytes: bytes, entries: entries, index: 0) }

    private func append(_ kind: Kind, offset: Int, length: Int) -> Int? {
        guard count < capacity else { return nil }
        entries[count] = Entry(
            offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: length),
            next: UInt32(truncatingIfNeeded: count + 1), kind: kind)
        count += 1
        return count - 1
    }

    private func skipSpace(_ position: inout Int) {
        while position < byteCount, bytes[position] <= 0x20 { position += 1 }
    }

    private func string(_ position: inout Int) -> Bool {
        // At the opening quote.
        var cursor = position + 1
        let start = cursor
        var escaped = false
        while cursor < byteCount {
            let byte = bytes[cursor]
            if byte == 0x22 { break }
            if byte == 0x5C {
                escaped = true
                cursor += 1
            }
            cursor += 1
        }
        guard cursor < byteCount else { return false }
        position = cursor + 1
        return append(escaped ? .escapedString : .string, offset: start, length: cursor - start)
            != nil
    }

    private func value(_ position: inout Int, depth: Int) -> Bool {
        skipSpace(&position)
        guard position < byteCount else { return false }
        switch bytes[position] {
        case 0x7B, 0x5B:
            let isObject = bytes[position] == 0x7B
            guard let index = append(isObject ? .object : .array, offset: position, length: 0)
            else {
                return false
            }
            position += 1
            let close: UInt8 = isObject ? 0x7D : 0x5D
            skipSpace(&position)
            if position < byteCount, bytes[position] == close {
                position += 1
                return true
            }
            while true {
                if isObject {
                    skipSpace(&position)
                    guard position < byteCount, bytes[position] == 0x22, string(&position) else {
                        return false
                    }
                    skipSpace(&position)
                    guard position < byteCount, bytes[position] == 0x3A else { return false }
                    position += 1
                }
                guard value(&position, depth: depth + 1) else { return false }
                skipSpace(&position)
                guard position < byteCount else { return false }
                let byte = bytes[position]
                position += 1
                if byte == close { break }
                guard byte == 0x2C else { return false }
            }
            entries[index].next = UInt32(truncatingIfNeeded: count)
            return true
        case 0x22:
            return string(&position)
        case 0x74:
            position += 4
            return append(.yes, offset: position, length: 0) != nil
        case 0x66:
            position += 5
            return append(.no, offset: position, length: 0) != nil
        case 0x6E:
            position += 4
            return append(.null, offset: position, length: 0) != nil
        default:
            let start = position
            while position < byteCount {
                let byte = bytes[position]
                if byte == 0x2C || byte == 0x7D || byte == 0x5D || byte <= 0x20 { break }
                position += 1
            }
            return position > start
                && append(.number, offset: start, length: position - start) != nil
        }
    }
}

/// One value of a ``JSONTape``. Valid while the tape lives.
struct JSONNode {
    let bytes: UnsafePointer<UInt8>
    let entries: UnsafeMutablePointer<JSONTape.Entry>
    let index: Int

    private func at(_ index: Int) -> JSONNode {
        JSONNode(bytes: bytes, entries: entries, index: index)
    }

    var isObject: Bool { entries[index].kind == .object }
    var isArray: Bool { entries[index].kind == .array }
    private var end: Int { Int(entries[index].next) }

    private func matches(_ entry: JSONTape.Entry, _ name: StaticString) -> Bool {
        Int(entry.length) == name.utf8CodeUnitCount
            && memcmp(bytes + Int(entry.offset), name.utf8Start, name.utf8CodeUnitCount) == 0
    }

    /// An object's member.
    subscript(_ name: StaticString) -> JSONNode? {
        guard isObject else { return nil }
        var cursor = index + 1
        let end = end
        while cursor + 1 < end {
            if matches(entries[cursor], name) { return at(cursor + 1) }
            cursor = Int(entries[cursor + 1].next)
        }
        return nil
    }

    /// The single member of `{"Tag": {...}}`; nil for an empty object.
    var tagged: JSONNode? { isObject && end > index + 1 ? at(index + 2) : nil }

    /// Whether the key before this value (of ``tagged``) is `name`.
    func hasTag(_ name: StaticString) -> Bool { matches(entries[index - 1], name) }

    /// The key before this value.
    var tag: String { at(index - 1).string ?? "" }

    var elements: Elements { Elements(node: self) }

    struct Elements: Sequence, IteratorProtocol {
        let node: JSONNode
        var cursor: Int
        let end: Int
        init(node: JSONNode) {
            self.node = node
            cursor = node.index + 1
            end = node.isArray ? node.end : cursor
        }
        mutating func next() -> JSONNode? {
            guard cursor < end else { return nil }
            defer { cursor = Int(node.entries[cursor].next) }
            return node.at(cursor)
        }
    }

    var bool: Bool { entries[index].kind == .yes }

    var int: Int? {
        let entry = entries[index]
        guard entry.kind == .number else { return nil }
        var cursor = Int(entry.offset)
        let end = cursor + Int(entry.length)
        var negative = false
        if cursor < end, bytes[cursor] == 0x2D {
            negative = true
            cursor += 1
        }
        var value = 0
        while cursor < end {
            let digit = bytes[cursor] &- 0x30
            guard digit <= 9, value < 1 << 56 else { return nil }
            value = value &* 10 &+ Int(digit)
            cursor += 1
        }
        return negative ? -value : value
    }

    /// Whether a string value is exactly `text`.
    func equals(_ text: StaticString) -> Bool {
        entries[index].kind == .string && matches(entries[index], text)
    }

    var string: String? {
        let entry = entries[index]
        let raw = UnsafeBufferPointer(start: bytes + Int(entry.offset), count: Int(entry.length))
        switch entry.kind {
        case .string: return String(decoding: raw, as: UTF8.self)
        case .escapedString: return unescape(raw)
        default: return nil
        }
    }

    private func unescape(_ raw: UnsafeBufferPointer<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(raw.count)
        var cursor = 0
        func hex(_ at: Int) -> UInt32? {
            guard at + 4 <= raw.count else { return nil }
            var value: UInt32 = 0
            for byte in raw[at..<at + 4] {
                switch byte {
                case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
                case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
                case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
                default: return nil
                }
            }
            return value
        }
        while cursor < raw.count {
            let byte = raw[cursor]
            guard byte == 0x5C, cursor + 1 < raw.count else {
                out.append(byte)
                cursor += 1
                continue
            }
            let code = raw[cursor + 1]
            cursor += 2
            switch code {
            case 0x62: out.append(0x08)
            case 0x66: out.append(0x0C)
            case 0x6E: out.append(0x0A)
            case 0x72: out.append(0x0D)
            case 0x74: out.append(0x09)
            case 0x75:
                var value = hex(cursor) ?? 0xFFFD
                cursor += 4
                if value & 0xFC00 == 0xD800, cursor + 1 < raw.count, raw[cursor] == 0x5C,
                    let low = hex(cursor + 2), low & 0xFC00 == 0xDC00
                {
                    value = 0x10000 + ((value & 0x3FF) << 10) + (low & 0x3FF)
                    cursor += 6
                }
                let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
                out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: out.append(code)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
