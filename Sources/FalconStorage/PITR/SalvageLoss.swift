/// Keys that a salvage could not bring along. Whatever else of them it met, of older versions too, is left
/// out: a row is as it last was, or it is among the losses.
public struct SalvageLoss: Sendable {
    /// The damaged file.
    public var path: String
    /// The level of the table whose keys are lost.
    public var level: Int
    /// Where in the file; nil: all of it.
    public var offset: UInt64?
    /// How many bytes of it; nil: all of it.
    public var byteCount: UInt64?
    /// No other keys are lost.
    public var keys: KeyRange
    /// Rows that are known to have been there; nil: how many is not known.
    public var rowCount: UInt64?
    /// What was wrong: a sentence.
    public var reason: String
}
