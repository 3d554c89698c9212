/// Which committed batches become layers of their own: the same at a commit and when its log is replayed.
///
/// More than a quarter of a memtable: below, a flush and a table each would cost more than the copy. Small
/// forms have no tree to adopt, and range deletes are looked through one by one.
struct AdoptionRule: Sendable {
    /// More bytes than that, by ``WriteBatch/byteCount``.
    let leastBytes: Int

    init(rotationBytes: Int) { leastBytes = rotationBytes / 4 }

    /// - Parameter bytes: of the surviving operations, as a batch counts them.
    @inline(__always)
    func adopts(bytes: Int, operations: Int, rangeDeletes: Int) -> Bool {
        bytes > leastBytes
            && (operations > WriteBatch.smallLimit || bytes > WriteBatch.smallBytesLimit)
            && rangeDeletes <= AdoptedBatch.mostRangeDeletes
    }

    @inline(__always)
    func adopts(_ batch: WriteBatch) -> Bool {
        adopts(
            bytes: batch.byteCount, operations: batch.operationCount,
            rangeDeletes: batch.rangeDeleteCount) && AdoptedBatch.canAdopt(batch)
    }
}
