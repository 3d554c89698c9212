/// What EXPLAIN measured, in nanoseconds.
struct ExplainReport {
    var planning: UInt64 = 0
    var execution: UInt64 = 0
    /// Nil without ANALYZE.
    var measurement: PlanMeasurement?
}
