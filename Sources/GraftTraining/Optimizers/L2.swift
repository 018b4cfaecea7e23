import GraftFormats

/// The penalty λ/2 · |θ|², whose gradient λ θ joins the loss's. It goes through whatever an
/// optimizer does with gradients, which a decoupled weight decay does not.
enum L2 {
    static let setting = Setting.number(
        "l2", 0, in: 0...1e6, "In the gradient: this part of each parameter is added to its gradient.")

    static func value(_ settings: Settings) -> Float { Float(settings.number(setting)) }
}
