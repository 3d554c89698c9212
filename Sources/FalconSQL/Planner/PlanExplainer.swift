import FalconSchema

/// EXPLAIN's text.
public enum PlanExplainer {
    /// One string per output line, as PostgreSQL lays them out.
    public static func lines(_ plan: PhysicalPlan, showCosts: Bool = true) -> [String] { [] }
}
