/// The FORMAT file: what a data directory is, written once when it is made.
///
/// ```
/// offset  size
///      0     8  magic "FALCFMT\n"
///      8     2  format version
///     10     2  zero
///     12    24  feature bits: compatible, read-incompatible, write-incompatible
///     36    16  shard uid
///     52     8  creation time, microseconds since 1970
///     60     8  XXH3-64 of bytes 0..<60
/// ```
/// Numbers are little-endian.
struct FormatFile: Equatable, Sendable {
    static let magic: [UInt8] = Array("FALCFMT\n".utf8)
    static let byteCount = 68

    var version: UInt16 = FormatVersion.newest.rawValue
    var features = FeatureBits()
    var shard: UID
    var createdWallMicros: UInt64

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(contentsOf: Self.magic)
        writer.appendFixed(version)
        writer.appendFixed(UInt16(0))
        features.encode(into: &writer)
        writer.append(shard)
        writer.appendFixed(createdWallMicros)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0) })
        return writer.bytes
    }

    /// Decodes and refuses what this program cannot open.
    static func decode(
        _ bytes: [UInt8], path: String, forWriting: Bool
    ) throws(StorageError) -> FormatFile {
        var decoded: FormatFile?
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard buffer.count >= Self.byteCount,
                reader.readBytes(8).map({ $0.elementsEqual(Self.magic) }) == true,
                let version = reader.readFixed(UInt16.self),
                reader.skip(2), let features = FeatureBits(&reader),
                let shard = reader.readUID(), let created = reader.readFixed(UInt64.self),
                let sum = reader.readFixed(UInt64.self),
                sum == Checksum.xxh3(UnsafeRawBufferPointer(rebasing: buffer[..<60]))
            else { return }
            decoded = FormatFile(
                version: version, features: features, shard: shard, createdWallMicros: created)
        }
        guard let decoded else {
            throw .corruption(
                "The FORMAT file is damaged, or not one.", path: path, offset: 0,
                hint: "Restore it from a backup of the same directory.")
        }
        try decoded.features.check(version: decoded.version, path: path, forWriting: forWriting)
        return decoded
    }
}
