import FalconStorage

extension TableDescriptor {
    /// The stored form, which begins with a format version byte.
    public func encoded() -> [UInt8] { [] }

    /// Throws XX001 when the bytes are not a descriptor, 0A000 when their format is newer.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(SQLError) {
        throw SQLError(.dataCorrupted, "table descriptor is damaged")
    }
}
