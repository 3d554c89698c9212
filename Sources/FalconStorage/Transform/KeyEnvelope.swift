/// A file's data key in the file's own header, wrapped by a key of the registry.
///
/// ```
/// offset  size
///      0     8  wrapping key's id, not 0
///      8    12  nonce, random
///     20    32  data key, encrypted with AES-256-GCM
///     52    16  tag; the file's uid and kind are authenticated with it
///     68     4  zero
///     72     8  XXH3-64 of bytes 0..<72, seeded with (uid, 0, kind 0x4B)
/// ```
/// Numbers are little-endian.
struct KeyEnvelope: Hashable, Sendable {
    static let byteCount = 80
    private static let checksumKind: UInt8 = 0x4B

    /// What kind of file it is; values live on disk.
    enum FileKind: UInt8, Sendable {
        case log = 1
        case table = 2
        case blob = 3
        case manifest = 4
    }

    var keyID: UInt64
    var nonce: [UInt8]
    /// Key and tag.
    var wrapped: [UInt8]

    func encoded(uid: UID) -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.appendFixed(keyID)
        writer.append(contentsOf: nonce)
        writer.append(contentsOf: wrapped)
        writer.appendFixed(UInt32(0))
        let seed = Checksum.locationSeed(uid: uid, offset: 0, kind: Self.checksumKind)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: seed) })
        return writer.bytes
    }

    /// Nil: damaged.
    static func decode(_ bytes: UnsafeRawBufferPointer, uid: UID) -> KeyEnvelope? {
        guard bytes.count >= byteCount else { return nil }
        var reader = ByteReader(bytes)
        let seed = Checksum.locationSeed(uid: uid, offset: 0, kind: checksumKind)
        let sum = Checksum.xxh3(UnsafeRawBufferPointer(rebasing: bytes[0..<72]), seed: seed)
        guard let keyID = reader.readFixed(UInt64.self), keyID != 0,
            let nonce = reader.readBytes(AESGCM.nonceBytes),
            let wrapped = reader.readBytes(AESGCM.keyBytes + AESGCM.tagBytes), reader.skip(4),
            reader.readFixed(UInt64.self) == sum
        else { return nil }
        return KeyEnvelope(keyID: keyID, nonce: Array(nonce), wrapped: Array(wrapped))
    }

    /// The envelope behind the header of an encrypted file; `what` the file is.
    static func read(
        _ file: any File, at offset: Int, uid: UID, of what: String
    ) throws(StorageError) -> KeyEnvelope {
        let bytes = try file.readExactly(byteCount, at: UInt64(offset))
        guard let envelope = bytes.withUnsafeBytes({ decode($0, uid: uid) }) else {
            throw .corruption(
                "The \(what)'s wrapped key is damaged.", path: file.path, offset: UInt64(offset))
        }
        return envelope
    }

    /// What is authenticated with a file's data key.
    static func additional(_ kind: FileKind, _ uid: UID, _ keyID: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: 25)
        writer.append(kind.rawValue)
        writer.append(uid)
        writer.appendFixed(keyID)
        return writer.bytes
    }
}
