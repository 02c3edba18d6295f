//! What must hold for the house as a whole. One binary, so that it links once.

#[path = "house/arrows.rs"]
mod arrows;
