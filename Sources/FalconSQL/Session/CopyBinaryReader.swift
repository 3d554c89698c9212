import FalconSchema

/// Cuts COPY's binary format into rows and fields, whatever the message boundaries.
///
/// ```
/// "PGCOPY\n" FF 0D 0A 00, flags 32, length of an extension 32, extension
/// row: count of fields 16, per field: length 32 (-1: NULL), bytes
/// end: FF FF
/// ```
struct CopyBinaryReader {
    static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    /// PostgreSQL's largest buffer.
    private static let greatestField = 0x3FFF_FFFE

    private enum Place { case header, rows, end }

    private(set) var bytes: [UInt8] = []
    private var start = 0
    private var place = Place.header
    /// Of the row that is being read, or was last.
    private(set) var lineNumber: Int64 = 0
    private var isBetweenRows = true
    /// The current row's, each a range of `bytes`; nil is NULL.
    private(set) var fields: [Range<Int>?] = []
    private let columnCount: Int

    init(columnCount: Int) { self.columnCount = columnCount }

    var memoryBytes: Int { bytes.capacity }

    mutating func append(_ data: [UInt8]) {
        if start == bytes.count {
            bytes = data
            start = 0
            return
        }
        if start > 1 << 16 {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: data)
    }

    /// Cuts the next row into fields. False: more data is needed (at `isFinal`: there is no more). What is wrong
    /// with a field says in `column` which it is.
    mutating func next(isFinal: Bool, column: inout Int?) throws(SQLError) -> Bool {
        if place == .header {
            guard try takeHeader(isFinal) else { return false }
            place = .rows
        }
        if place == .end {
            if start < bytes.count { throw Self.damaged("received copy data after EOF marker") }
            return false
        }
        if isBetweenRows {
            isBetweenRows = false
            lineNumber += 1
        }
        // Of a count that is cut in two PostgreSQL takes no notice either.
        guard let count = integer(Int16.self, at: start) else { return false }
        if count == -1 {
            place = .end
            start += 2
            return try next(isFinal: isFinal, column: &column)
        }
        if Int(count) != columnCount {
            throw Self.damaged("row field count is \(count), expected \(columnCount)")
        }
        guard let end = try cutFields(from: start + 2, isFinal, &column) else { return false }
        start = end
        isBetweenRows = true
        return true
    }

    private mutating func cutFields(
        from begin: Int, _ isFinal: Bool, _ column: inout Int?
    ) throws(SQLError) -> Int? {
        var at = begin
        fields.removeAll(keepingCapacity: true)
        for index in 0..<columnCount {
            column = index
            guard let length = integer(Int32.self, at: at) else {
                if isFinal { throw Self.cutOff }
                return nil
            }
            at += 4
            if length == -1 {
                fields.append(nil)
                continue
            }
            if length < 0 { throw Self.damaged("invalid field size") }
            if length > Self.greatestField {
                throw SQLError(
                    .programLimitExceeded, "out of memory",
                    detail:
                        "Cannot enlarge string buffer containing 0 bytes by \(length) more bytes.")
            }
            guard Int(length) <= bytes.count - at else {
                if isFinal { throw Self.cutOff }
                return nil
            }
            fields.append(at..<(at + Int(length)))
            at += Int(length)
        }
        column = nil
        return at
    }

    /// False: more data is needed.
    private mutating func takeHeader(_ isFinal: Bool) throws(SQLError) -> Bool {
        let length = Self.signature.count
        guard bytes.count >= length else {
            if isFinal { throw Self.damaged("COPY file signature not recognized") }
            return false
        }
        guard bytes.starts(with: Self.signature) else {
            throw Self.damaged("COPY file signature not recognized")
        }
        guard let flags = integer(UInt32.self, at: length) else {
            if isFinal { throw Self.damaged("invalid COPY file header (missing flags)") }
            return false
        }
        if flags & 1 << 16 != 0 { throw Self.damaged("invalid COPY file header (WITH OIDS)") }
        if flags >> 16 != 0 {
            throw Self.damaged("unrecognized critical flags in COPY file header")
        }
        guard let extra = integer(Int32.self, at: length + 4) else {
            if isFinal { throw Self.damaged("invalid COPY file header (missing length)") }
            return false
        }
        if extra < 0 { throw Self.damaged("invalid COPY file header (missing length)") }
        guard bytes.count - (length + 8) >= Int(extra) else {
            if isFinal { throw Self.damaged("invalid COPY file header (wrong length)") }
            return false
        }
        start = length + 8 + Int(extra)
        return true
    }

    /// Nil: it is not all there.
    private func integer<T: FixedWidthInteger>(_ type: T.Type, at place: Int) -> T? {
        let size = T.bitWidth / 8
        guard place >= 0, place <= bytes.count - size else { return nil }
        return bytes[place..<(place + size)].reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }

    private static func damaged(_ message: String) -> SQLError {
        SQLError(.badCopyFileFormat, message)
    }

    private static let cutOff = damaged("unexpected EOF in COPY data")
}
