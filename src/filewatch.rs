//! filewatch
