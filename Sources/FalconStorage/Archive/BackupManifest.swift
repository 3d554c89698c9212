/// What a base backup is, and which files it needs. A line for each fact, the last one a checksum: it is read with
/// `cat` when nothing else works any more.
///
/// ```
/// falcon-backup 0                                   format
/// id 20261129T154209Z-1a2b3c4d
/// label nightly%20full                              as a URL escapes it
/// version 0.1.0                                     of the program
/// formats 0                                         newest format version in the files
/// shard UID · branch UID · incarnation N            whose log it goes with
/// log-segment UID                                   the first segment that a restore replays
/// start LSN · end LSN                               all up to start is in the tables; the log is archived up to end
/// began MICROS · ended MICROS                       wall clock, since 1970
/// newest MICROS                                     no commit in the tables is newer
/// encrypted 0|1
/// meta NAME BYTES HASH                              beside BACKUP itself
/// file table|blob NUMBER UID BYTES HASH new|reused  in files/; reused: an earlier backup has it, too
/// sum HASH                                          XXH3-64 of all before
/// ```
public struct BackupManifest: Sendable, Hashable {
    /// A table or a blob file.
    public struct File: Sendable, Hashable {
        var kind: DataFileKind
        var number: FileNumber
        /// Of the table or blob file; with ``hash`` its name in the repository.
        public var uid: UID
        /// Its size.
        public var byteCount: UInt64
        /// XXH3-64 of its bytes.
        public var hash: UInt64
        /// It was there when the backup was made.
        public var isReused: Bool
    }
    /// FORMAT, CURRENT, MANIFEST and KEYS.
    public struct Meta: Sendable, Hashable {
        /// Without a directory: it lies beside BACKUP.
        public var name: String
        /// Its size.
        public var byteCount: UInt64
        /// XXH3-64 of its bytes.
        public var hash: UInt64
    }

    static let format = "falcon-backup 0"

    /// Its name in the repository: 1 to 64 ASCII letters, digits and hyphens.
    public var id = ""
    /// What it was called by whoever made it: 256 bytes at most, and no control characters in those of
    /// today; others may have the same.
    public var label = ""
    /// Of the program that made it.
    public var version = FalconVersion.current
    /// No file of it has a newer format version.
    public var formatVersion = UInt64(FormatVersion.newest.rawValue)
    /// Whose data it holds.
    public var shard = UID.zero
    /// The branch that was written when it was made.
    public var branch = UID.zero
    /// The writable open that made it, by its number.
    public var incarnation: UInt64 = 0
    /// The UID of the first segment that a restore replays.
    public var logSegment = UID.zero
    /// All up to here is in the tables; replay begins here.
    public var startLSN = LSN.zero
    /// The log was archived up to here when the backup ended.
    public var endLSN = LSN.zero
    /// When it was begun by the wall clock, in microseconds since 1970.
    public var beganMicros: UInt64 = 0
    /// When all of it was copied and its log archived, in microseconds since 1970.
    public var endedMicros: UInt64 = 0
    /// No commit in the tables is newer, in microseconds since 1970.
    public var newestMicros: UInt64 = 0
    /// It has a key registry: a restore takes the master key.
    public var isEncrypted = false
    /// By name.
    public var metas: [Meta] = []
    /// Every table and blob file of the state at ``startLSN``, in no order.
    public var files: [File] = []

    /// Of all its files.
    public var byteCount: UInt64 {
        files.reduce(0) { $0 &+ $1.byteCount } &+ metas.reduce(0) { $0 &+ $1.byteCount }
    }
    /// Of those that no earlier backup had.
    public var newBytes: UInt64 {
        files.reduce(0) { $1.isReused ? $0 : $0 &+ $1.byteCount }
            &+ metas.reduce(0) { $0 &+ $1.byteCount }
    }

    func encoded() -> [UInt8] {
        var text = """
            \(Self.format)
            id \(id)
            label \(Self.escape(label))
            version \(version)
            formats \(formatVersion)
            shard \(shard)
            branch \(branch)
            incarnation \(incarnation)
            log-segment \(logSegment)
            start \(startLSN)
            end \(endLSN)
            began \(beganMicros)
            ended \(endedMicros)
            newest \(newestMicros)
            encrypted \(isEncrypted ? 1 : 0)

            """
        for meta in metas {
            text += "meta \(meta.name) \(meta.byteCount) \(FileNames.hex(meta.hash))\n"
        }
        for file in files {
            text +=
                "file \(file.kind == .blob ? "blob" : "table") \(FileNames.hex(file.number.rawValue)) "
                + "\(file.uid) \(file.byteCount) \(FileNames.hex(file.hash)) "
                + (file.isReused ? "reused\n" : "new\n")
        }
        let bytes = Array(text.utf8)
        let sum = bytes.withUnsafeBytes { Checksum.xxh3($0) }
        return bytes + Array("sum \(FileNames.hex(sum))\n".utf8)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> BackupManifest {
        let damaged = StorageError.corruption(
            "The backup's manifest is damaged.", path: path, offset: 0,
            hint: "Use another backup of the repository.")
        let sumBytes = 21
        guard bytes.count > sumBytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw damaged
        }
        let body = bytes.dropLast(sumBytes)
        let sum = body.withUnsafeBytes { Checksum.xxh3($0) }
        guard text.hasSuffix("sum \(FileNames.hex(sum))\n") else { throw damaged }
        var lines = text.split(separator: "\n")
        guard lines.first.map(String.init) == format else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The backup's manifest has a format that this program does not know.",
                cause: lines.first.map(String.init), location: .init(path: path),
                hint: "Use the version that wrote it, or a later one.")
        }
        lines.removeFirst()
        lines.removeLast()
        var manifest = BackupManifest()
        for line in lines where !manifest.take(line) { throw damaged }
        guard RepositoryNames.isBackupID(manifest.id) else { throw damaged }
        return manifest
    }

    /// False: the line makes no sense. Names that a later version adds are passed over.
    private mutating func take(_ line: Substring) -> Bool {
        var words = line.split(separator: " ", omittingEmptySubsequences: false)
        let name = words.removeFirst()
        guard let word = words.first else { return false }
        switch name {
        case "id": id = String(word)
        case "label":
            guard let text = Self.unescape(word) else { return false }
            label = text
        case "version": version = String(word)
        case "formats": return Self.set(&formatVersion, UInt64(word))
        case "shard": return Self.set(&shard, UID(text: word))
        case "branch": return Self.set(&branch, UID(text: word))
        case "incarnation": return Self.set(&incarnation, UInt64(word))
        case "log-segment": return Self.set(&logSegment, UID(text: word))
        case "start": return Self.set(&startLSN, LSN(text: word))
        case "end": return Self.set(&endLSN, LSN(text: word))
        case "began": return Self.set(&beganMicros, UInt64(word))
        case "ended": return Self.set(&endedMicros, UInt64(word))
        case "newest": return Self.set(&newestMicros, UInt64(word))
        case "encrypted": isEncrypted = word == "1"
        case "meta":
            guard words.count >= 3, let count = UInt64(words[1]),
                let hash = UInt64(words[2], radix: 16), !word.contains("/")
            else { return false }
            metas.append(Meta(name: String(word), byteCount: count, hash: hash))
        case "file":
            guard words.count >= 6, word == "blob" || word == "table",
                let number = UInt64(words[1], radix: 16), let uid = UID(text: words[2]),
                let count = UInt64(words[3]), let hash = UInt64(words[4], radix: 16)
            else { return false }
            files.append(
                File(
                    kind: word == "blob" ? .blob : .rowTable, number: FileNumber(number), uid: uid,
                    byteCount: count, hash: hash, isReused: words[5] == "reused"))
        default: break
        }
        return true
    }

    private static func set<T>(_ field: inout T, _ value: T?) -> Bool {
        guard let value else { return false }
        field = value
        return true
    }

    // MARK: - Labels

    /// Throws `invalid-argument` where `label` is none that a backup may have.
    public static func checkLabel(_ label: String) throws(StorageError) {
        guard label.utf8.count <= 256 else {
            throw .invalidArgument("A backup's label has 256 bytes at most.")
        }
        guard !label.unicodeScalars.contains(where: isControl) else {
            throw .invalidArgument(
                "A backup's label has no line breaks and no other control characters.")
        }
    }

    /// `label` in one line and harmless to a terminal: backups of before labels were checked may have any.
    public static func shown(_ label: String) -> String {
        label.unicodeScalars.reduce(into: "") { text, scalar in
            text += isControl(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == 45 || byte == 46 || byte == 95
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if isPlain(byte) {
                result.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                result += "%" + FileNames.hex(UInt64(byte)).suffix(2)
            }
        }
        return result
    }

    private static func unescape(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 37 else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
