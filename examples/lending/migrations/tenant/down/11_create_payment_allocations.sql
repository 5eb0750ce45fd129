drop table payment_allocations;
drop function refuse_excess_allocation();
drop type allocation_component;
