/// The value of an attribute: one or many strings, integers or floats.
enum HDF5Attribute: Equatable, Sendable {
  case strings([String])
  case integers([Int])
  case floats([Double])

  /// The attribute as one string.
  var string: String? {
    if case .strings(let values) = self, values.count == 1 { values[0] } else { nil }
  }

  /// The attribute as one integer.
  var integer: Int? {
    if case .integers(let values) = self, values.count == 1 { values[0] } else { nil }
  }
}
