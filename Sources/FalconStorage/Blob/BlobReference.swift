/// What a table holds in place of a value that lies in a blob file: an entry of kind
/// `valueReference` has these bytes as its value.
///
///     0   u64  number of the blob file
///     8   u64  offset of the record
///     16  u32  bytes of the record
///     20  u32  bytes of the value, before compression
///
/// The number is the one of this directory; the record's checksum is bound to the file's uid, which
/// MANIFEST has, so that a reference to a file that was swapped finds nothing.
struct BlobReference: Hashable {
    static let byteCount = 24

    var file: UInt64
    var offset: UInt64
    var recordBytes: UInt32
    var valueBytes: UInt32

    init(file: UInt64, offset: UInt64, recordBytes: UInt32, valueBytes: UInt32) {
        self.file = file
        self.offset = offset
        self.recordBytes = recordBytes
        self.valueBytes = valueBytes
    }

    /// Nil when the bytes are not a reference's.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        file = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        offset = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        recordBytes = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        valueBytes = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self))
    }

    /// Writes ``byteCount`` bytes.
    func store(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: file.littleEndian, as: UInt64.self)
        target.storeBytes(of: offset.littleEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: recordBytes.littleEndian, toByteOffset: 16, as: UInt32.self)
        target.storeBytes(of: valueBytes.littleEndian, toByteOffset: 20, as: UInt32.self)
    }
}
