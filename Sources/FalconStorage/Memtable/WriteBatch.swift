/// A transaction's private writes, keyed (key, ordinal descending).
///
/// Ordinals rise by one per operation and are never reused, so a statement that notes
/// ``nextOrdinal`` first and reads below it never sees its own writes. Used by one thread at a time.
public final class WriteBatch: @unchecked Sendable {
    public init() {}

    /// The ordinal the next operation gets.
    public internal(set) var nextOrdinal: UInt32 = 0
    /// Surviving operations.
    public internal(set) var operationCount: Int = 0
    /// Key, value and before-image bytes of the surviving operations.
    public internal(set) var byteCount: Int = 0
    public var isEmpty: Bool { operationCount == 0 }

    public func put(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, class: OperationClass = .row,
        sql: SQLOperation = .none, descriptorVersion: UInt32 = 0,
        before: UnsafeRawBufferPointer? = nil
    ) throws(StorageError) {}

    public func delete(
        key: UnsafeRawBufferPointer, class: OperationClass = .row, sql: SQLOperation = .none,
        descriptorVersion: UInt32 = 0, before: UnsafeRawBufferPointer? = nil
    ) throws(StorageError) {}

    public func deleteRange(
        lower: UnsafeRawBufferPointer, upper: UnsafeRawBufferPointer,
        class: OperationClass = .row, sql: SQLOperation = .none, descriptorVersion: UInt32 = 0
    ) throws(StorageError) {}

    /// Drops every operation whose ordinal is `ordinal` or above.
    public func rollback(toOrdinal ordinal: UInt32) {}

    /// Empties the batch for reuse; borrowed bytes die.
    public func removeAll() {}

    /// What the batch says of a key. The value is borrowed until the batch is emptied or dies.
    public enum Lookup {
        case absent
        case deleted
        case value(UnsafeRawBufferPointer)
    }

    /// The newest operation on `key` with an ordinal less than `below`, range deletes applied.
    public func lookup(_ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max) -> Lookup {
        .absent
    }

    /// One operation, borrowed until the batch is emptied or dies. For a range delete `key` is the
    /// lower bound and `value` the upper.
    public struct Operation {
        public var ordinal: UInt32
        public var kind: OperationKind
        public var `class`: OperationClass
        public var sql: SQLOperation
        public var descriptorVersion: UInt32
        public var key: UnsafeRawBufferPointer
        public var value: UnsafeRawBufferPointer
        public var before: UnsafeRawBufferPointer?
    }

    /// The operation of that ordinal; nil when it was rolled back. Looping over
    /// `0..<nextOrdinal` visits the surviving operations in the WAL's order.
    public func operation(at ordinal: UInt32) -> Operation? { nil }

    /// Range deletes with an ordinal less than `below`, as (ordinal, lower, upper), oldest first.
    var rangeDeleteCount: Int { 0 }
    func rangeDeletes(below ordinal: UInt32) -> [Operation] { [] }

    /// Each key's newest operation with an ordinal less than `below`, in key order, kinds put and
    /// delete (a put under a later range delete shows as delete); timestamp is `.max`. Stays valid
    /// while the batch grows, and does not show what was added since.
    func makeIterator(below ordinal: UInt32 = .max) -> InternalIterator { InternalIterator() }
}
