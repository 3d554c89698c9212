/// How a table or a blob file is checked.
public struct VerificationPlan: Sendable {
    /// Structure, checksums and hashes alone; what the entries say is not looked at.
    public var isQuick = false
    /// Asks filters for keys that are not there, and reports one that lets too many through.
    public var measuresFilters = false
    /// Counts entries and blocks for ``TableVerification/histograms``; ages are as of this moment, in
    /// microseconds since 1970. Nil: nothing is counted. Not of a quick check.
    public var histogramsAsOf: UInt64?
    /// What the checks of several files share; nil: nothing.
    public var pace: VerificationPace?

    /// Everything is checked; filters are not measured and nothing is counted.
    public init() {}
}
