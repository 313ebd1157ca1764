/// The value of an attribute: one or many strings, integers or floats.
package enum HDF5Attribute: Equatable, Sendable {
  case strings([String])
  case integers([Int])
  case floats([Double])

  /// The attribute as one string.
  package var string: String? {
    if case .strings(let values) = self, values.count == 1 { values[0] } else { nil }
  }

  /// The attribute as one integer.
  package var integer: Int? {
    if case .integers(let values) = self, values.count == 1 { values[0] } else { nil }
  }
}
