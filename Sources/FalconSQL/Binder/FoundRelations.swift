/// The relations whose names an analysis has found, in order, with the locks they need. Kept when it fails: a
/// transaction that holds one of them may be about to make the statement right.
final class FoundRelations {
    var relations: [PlanRelation] = []
}
