import FalconStorage

extension Array where Element == UInt8 {
    /// `withUnsafeBytes` with a typed error.
    @inline(__always)
    func withRaw<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}
