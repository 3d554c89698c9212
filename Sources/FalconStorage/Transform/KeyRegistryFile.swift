/// The KEYS file: the wrapping keys of a data directory, wrapped by its master key. Replaced whole by rename.
///
/// ```
/// offset  size
///      0     8  magic "FALCKEY\n"
///      8     2  format version
///     10     2  zero
///     12    24  feature bits: compatible, read-incompatible, write-incompatible
///     36     8  generation: rises by one with each replacement
///     44     8  wall micros of the last change of the master key
///     52     4  PBKDF2 iterations; 0: the master key itself is given
///     56    16  salt
///     72     4  entries
///     76     4  zero
///     80    96  each entry:
///                  0   8  key id, random, not 0
///                  8   1  scope (``KeyScope/Kind``)
///                  9   1  1: new files of the scope are sealed under it; 2: retired
///                 10   2  zero
///                 12   4  database
///                 16   8  wall micros of its making
///                 24  12  nonce, random
///                 36  32  wrapping key, encrypted with AES-256-GCM
///                 68  16  tag; bytes 0..<9 and 12..<24 of the entry are authenticated with it
///                 84  12  zero
///    end-36    12  nonce, random
///    end-24    16  tag of nothing, with which all before is authenticated: proves the master key
///    end- 8     8  XXH3-64 of all before
/// ```
/// Numbers are little-endian. The checksum tells damage without a key; the proof a wrong key from a right one.
struct KeyRegistryFile {
    static let magic: [UInt8] = Array("FALCKEY\n".utf8)
    static let headBytes = 80
    static let entryBytes = 96
    static let proofBytes = 28
    static let version: UInt16 = 0
    static let largestCount = 1 << 20

    struct Entry: Equatable {
        var id: UInt64
        var scope: KeyScope
        var isActive: Bool
        var createdWallMicros: UInt64
        var key: [UInt8]

        /// What is authenticated with the key.
        fileprivate var additional: [UInt8] {
            var writer = ByteWriter(capacity: 21)
            writer.appendFixed(id)
            writer.append(scope.kind.rawValue)
            writer.appendFixed(scope.database)
            writer.appendFixed(createdWallMicros)
            return writer.bytes
        }
    }

    var generation: UInt64 = 1
    var masterWallMicros: UInt64
    var iterations: UInt32
    var salt: [UInt8]
    var entries: [Entry] = []

    func encoded(master: [UInt8]) throws(StorageError) -> [UInt8] {
        guard entries.count <= Self.largestCount else {
            throw StorageError(
                .invalidArgument, kind: .user,
                "The key registry holds \(Self.largestCount) keys, and takes no more.")
        }
        var writer = ByteWriter(
            capacity: Self.headBytes + entries.count * Self.entryBytes + Self.proofBytes + 8)
        writer.append(contentsOf: Self.magic)
        writer.appendFixed(Self.version)
        writer.appendFixed(UInt16(0))
        for _ in 0..<3 { writer.appendFixed(UInt64(0)) }
        writer.appendFixed(generation)
        writer.appendFixed(masterWallMicros)
        writer.appendFixed(iterations)
        writer.append(contentsOf: salt)
        writer.appendFixed(UInt32(truncatingIfNeeded: entries.count))
        writer.appendFixed(UInt32(0))
        for entry in entries { try Self.encode(entry, master, &writer) }
        let nonce = try AESGCM.random(AESGCM.nonceBytes)
        guard
            let proof = AESGCM.seal([], key: master, nonce: nonce, additional: writer.bytes)
        else { throw AESGCM.failure }
        writer.append(contentsOf: nonce)
        writer.append(contentsOf: proof)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0) })
        return writer.bytes
    }

    private static func encode(
        _ entry: Entry, _ master: [UInt8], _ writer: inout ByteWriter
    ) throws(StorageError) {
        let nonce = try AESGCM.random(AESGCM.nonceBytes)
        guard
            let wrapped = AESGCM.seal(
                entry.key, key: master, nonce: nonce, additional: entry.additional)
        else { throw AESGCM.failure }
        writer.appendFixed(entry.id)
        writer.append(entry.scope.kind.rawValue)
        writer.append(entry.isActive ? 1 : 2 as UInt8)
        writer.appendFixed(UInt16(0))
        writer.appendFixed(entry.scope.database)
        writer.appendFixed(entry.createdWallMicros)
        writer.append(contentsOf: nonce)
        writer.append(contentsOf: wrapped)
        for _ in 0..<3 { writer.appendFixed(UInt32(0)) }
    }

    // MARK: - Reading

    /// Checks the bytes and, with `secret`, unwraps the keys. `corruption`: damaged, whatever the key;
    /// `key-missing`: sound, and the key is wrong.
    static func decode(
        _ bytes: [UInt8], path: String, secret: MasterSecret
    ) throws(StorageError) -> (file: KeyRegistryFile, master: [UInt8]) {
        let head = try checked(bytes, path)
        guard
            let master = secret.masterKey(salt: head.file.salt, iterations: head.file.iterations)
        else {
            throw StorageError(
                .keyMissing, kind: .user,
                head.file.iterations > 0
                    ? "The data directory is encrypted under a passphrase, and a key was given."
                    : "The data directory is encrypted under a key, and a passphrase was given.",
                location: .init(path: path))
        }
        return (try open(bytes, head, path, master), master)
    }

    /// As ``decode(_:path:secret:)`` with the master key itself.
    static func decode(
        _ bytes: [UInt8], path: String, master: [UInt8]
    ) throws(StorageError) -> KeyRegistryFile {
        try open(bytes, try checked(bytes, path), path, master)
    }

    private static func open(
        _ bytes: [UInt8], _ head: (file: KeyRegistryFile, count: Int), _ path: String,
        _ master: [UInt8]
    ) throws(StorageError) -> KeyRegistryFile {
        let end = bytes.count - 8 - proofBytes
        let nonce = Array(bytes[end..<(end + AESGCM.nonceBytes)])
        let proof = Array(bytes[(end + AESGCM.nonceBytes)..<(end + proofBytes)])
        guard
            AESGCM.open(proof, key: master, nonce: nonce, additional: Array(bytes[..<end])) != nil
        else { throw wrongKey(path) }
        var file = head.file
        for index in 0..<head.count {
            let start = headBytes + index * entryBytes
            file.entries.append(
                try entry(Array(bytes[start..<(start + entryBytes)]), master, path))
        }
        return file
    }

    /// The file is whole, and its version known: what can be said of it without a key. The number of its keys.
    @discardableResult
    static func check(_ bytes: [UInt8], path: String) throws(StorageError) -> Int {
        try checked(bytes, path).count
    }

    private static func checked(
        _ bytes: [UInt8], _ path: String
    ) throws(StorageError) -> (file: KeyRegistryFile, count: Int) {
        var found: (KeyRegistryFile, Int)?
        var isNewer = false
        bytes.withUnsafeBytes { buffer in
            guard buffer.count >= headBytes + proofBytes + 8 else { return }
            var reader = ByteReader(buffer)
            var tail = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[(buffer.count - 8)...]))
            let covered = UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - 8)])
            guard tail.readFixed(UInt64.self) == Checksum.xxh3(covered),
                reader.readBytes(8).map({ $0.elementsEqual(magic) }) == true,
                let version = reader.readFixed(UInt16.self), reader.skip(10),
                let features = reader.readFixed(UInt64.self),
                let writeFeatures = reader.readFixed(UInt64.self),
                let generation = reader.readFixed(UInt64.self),
                let micros = reader.readFixed(UInt64.self),
                let iterations = reader.readFixed(UInt32.self),
                let salt = reader.readBytes(MasterSecret.saltBytes),
                let count = reader.readFixed(UInt32.self)
            else { return }
            // Who opens a registry may come to write it.
            isNewer = version > Self.version || features != 0 || writeFeatures != 0
            guard Int(count) <= largestCount, iterations <= UInt32(Int32.max),
                isNewer
                    || buffer.count == headBytes + Int(count) * entryBytes + proofBytes + 8
            else { return }
            found = (
                KeyRegistryFile(
                    generation: generation, masterWallMicros: micros, iterations: iterations,
                    salt: Array(salt)), Int(count)
            )
        }
        if isNewer {
            throw StorageError(
                .unsupportedFormat, kind: .user, "The key registry is of a newer format.",
                location: .init(path: path), hint: "Use a newer FalconDB.")
        }
        guard let found else {
            throw .corruption(
                "The key registry is damaged.", path: path, offset: 0,
                hint:
                    "Restore KEYS from a backup of the same directory: without it nothing that is "
                    + "encrypted can be read.")
        }
        return found
    }

    private static func entry(
        _ bytes: [UInt8], _ master: [UInt8], _ path: String
    ) throws(StorageError) -> Entry {
        var result: Entry?
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard let id = reader.readFixed(UInt64.self), id != 0, let kindByte = reader.readByte(),
                let kind = KeyScope.Kind(rawValue: kindByte), let state = reader.readByte(),
                state == 1 || state == 2, reader.skip(2),
                let database = reader.readFixed(UInt32.self),
                let created = reader.readFixed(UInt64.self),
                let nonce = reader.readBytes(AESGCM.nonceBytes),
                let wrapped = reader.readBytes(AESGCM.keyBytes + AESGCM.tagBytes)
            else { return }
            var entry = Entry(
                id: id, scope: KeyScope(kind, database: database), isActive: state == 1,
                createdWallMicros: created, key: [])
            guard
                let key = AESGCM.open(
                    Array(wrapped), key: master, nonce: Array(nonce),
                    additional: entry.additional)
            else { return }
            entry.key = key
            result = entry
        }
        guard let result else { throw wrongKey(path) }
        return result
    }

    static func wrongKey(_ path: String) -> StorageError {
        StorageError(
            .keyMissing, kind: .user, "The master key is wrong: it does not open the key registry.",
            location: .init(path: path),
            hint:
                "Give the key or passphrase that the directory was encrypted or last rotated with.")
    }
}
