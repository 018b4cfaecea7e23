import GraftFormats

/// The schedules that there are.
package enum Schedules {
    package static let list = OpenList<any Schedule.Type>(
        "schedule",
        [
            Constant.self, Linear.self, Cosine.self, CosineWithRestarts.self, Polynomial.self, InverseSquareRoot.self,
        ]
    ) { $0 }
}
