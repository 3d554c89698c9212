extension WriteBatch {
    /// Roughly how many keys of `range` it puts a value under, without reading anything: for choosing between ways
    /// to read them. None are taken to be in a batch of up to 16 operations; what is in files is taken to be like
    /// what is in memory.
    public func estimatedKeyCount(of range: KeyRange) -> Int {
        guard let tree else { return 0 }
        let count = tree.estimatedKeyCount(of: range)
        let kept = nextOrdinal - firstOrdinal
        guard firstOrdinal > 0, kept > 0 else { return count }
        return Int(Double(count) * Double(nextOrdinal) / Double(kept))
    }
}
