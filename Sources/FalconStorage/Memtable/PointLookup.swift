/// What one layer (a memtable, a table) knows about a key at a timestamp.
///
/// The value is borrowed: from the memtable's arena (valid while the memtable lives) or from the
/// block that the caller's ``BlockPin`` holds (valid until the pin is reused or dies).
enum PointLookup {
    /// This layer says nothing: ask the next older one.
    case absent
    /// Deleted, by a tombstone or a range tombstone of that timestamp.
    case deleted(Timestamp)
    case value(Timestamp, UnsafeRawBufferPointer)
    /// There is a value, and it lies in a blob file: these bytes are the ``BlobReference``. Of tables only.
    case reference(Timestamp, UnsafeRawBufferPointer)
}
