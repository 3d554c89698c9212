import FalconStorage

/// How far a stream has come.
struct StreamCursor: Equatable {
    /// Changes at and after it are still to come.
    var endLSN = LSN.zero
    /// A snapshot held everything up to it: no transaction at or below it is shown.
    var snapshot = Timestamp.zero
    /// Of a sink: the number of its file, from 1, and the bytes of it that count.
    var file: UInt64 = 1
    var byteCount: UInt64 = 0
    /// The form of the lines, which must not change within one stream.
    var form = ""
    /// The shard whose log it is of.
    var log = UID.zero
    /// Nothing has been shown yet.
    var isNew: Bool { endLSN == .zero && snapshot == .zero }

    var text: String {
        "end_lsn=\(endLSN) snapshot_ts=\(snapshot.rawValue) file=\(file) bytes=\(byteCount) "
            + "form=\(form) log=\(log)"
    }

    init(form: String, log: UID) {
        self.form = form
        self.log = log
    }

    init?(_ fields: [Substring: Substring]) {
        guard let lsn = fields["end_lsn"].flatMap({ LSN(text: $0) }),
            let snapshot = fields["snapshot_ts"].flatMap({ UInt64($0) }),
            let file = fields["file"].flatMap({ UInt64($0) }),
            let bytes = fields["bytes"].flatMap({ UInt64($0) }), let form = fields["form"],
            let log = fields["log"], log.count == 32,
            let high = UInt64(log.prefix(16), radix: 16),
            let low = UInt64(log.suffix(16), radix: 16)
        else { return nil }
        endLSN = lsn
        self.snapshot = Timestamp(snapshot)
        self.file = file
        byteCount = bytes
        self.form = String(form)
        self.log = UID(high: high, low: low)
    }
}

/// Keeps a ``StreamCursor`` in a file: two lines of 512 bytes, written in turn, each with its number and a
/// checksum. A write that is cut short leaves the other line.
final class CursorFile {
    static let slotBytes = 512
    private static let mark = "falcon-cdc-cursor 1"
    let path: String
    private let fileSystem: any FileSystem
    private var file: (any File)?
    private var sequence: UInt64 = 0
    /// A write or a sync failed: what the file holds is not known, and another sync would say nothing of it.
    private var isBroken = false
    /// The cursor on the device; nil before the first.
    private(set) var stored: StreamCursor?

    init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        self.path = path
        self.fileSystem = fileSystem
        guard try fileSystem.exists(path) else { return }
        let bytes = try fileSystem.contents(of: path)
        for start in [0, Self.slotBytes] where bytes.count > start {
            let slot = bytes[start..<min(bytes.count, start + Self.slotBytes)]
            if let (number, cursor) = Self.parse(slot), number >= sequence {
                (sequence, stored) = (number, cursor)
            }
        }
        // The very first write may have been cut short: then nothing was ever shown.
        if stored == nil, bytes.count > Self.slotBytes || !Self.mayBeOurs(bytes) {
            throw StorageError(
                .corruption, kind: .user, "This is no cursor, or it is damaged.",
                location: .init(path: path),
                hint: "Name another file, or remove it to start over from the beginning.")
        }
    }

    private static func mayBeOurs(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 == 0 }
            || zip(bytes, mark.utf8).allSatisfy { $0 == 0 || $0 == $1 }
    }

    /// Makes `cursor` durable.
    /// - Parameter again: also when the file says so already: after an earlier run's failed sync that may be
    ///   in memory alone.
    func store(_ cursor: StreamCursor, again: Bool = false) throws(StorageError) {
        if isBroken || (cursor == stored && !again) { return }
        isBroken = true
        let isNew = file == nil
        let file: any File
        if let open = self.file {
            file = open
        } else {
            file = try fileSystem.open(path, .createIfMissing)
            self.file = file
        }
        let next = sequence + 1
        try file.write(
            Self.slot(next, cursor), at: next % 2 == 1 ? 0 : UInt64(Self.slotBytes))
        try file.syncData()
        if isNew { try fileSystem.syncDirectory(VFSPath.parent(of: path)) }
        sequence = next
        stored = cursor
        isBroken = false
    }

    private static func slot(_ sequence: UInt64, _ cursor: StreamCursor) -> [UInt8] {
        var bytes = Array("\(mark) seq=\(sequence) \(cursor.text) crc=".utf8)
        bytes += Array(checksum(bytes).utf8)
        bytes += Array(repeating: UInt8(ascii: " "), count: max(0, slotBytes - 1 - bytes.count))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private static func checksum(_ bytes: some Collection<UInt8>) -> String {
        let crc = Array(bytes).withUnsafeBytes { Checksum.crc32c($0) }
        return String(crc, radix: 16)
    }

    private static func parse(_ slot: ArraySlice<UInt8>) -> (UInt64, StreamCursor)? {
        guard slot.count == slotBytes else { return nil }
        let text = String(decoding: slot, as: UTF8.self)
        guard text.hasPrefix(mark + " ") else { return nil }
        var fields: [Substring: Substring] = [:]
        for word in text.dropFirst(mark.count).split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let pair = word.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { fields[pair[0]] = pair[1] }
        }
        guard let crc = fields["crc"], let number = fields["seq"].flatMap({ UInt64($0) }),
            let cursor = StreamCursor(fields)
        else { return nil }
        let summed = "\(mark) seq=\(number) \(cursor.text) crc="
        return checksum(summed.utf8) == crc ? (number, cursor) : nil
    }
}
