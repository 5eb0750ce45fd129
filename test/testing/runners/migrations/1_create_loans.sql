create table loans (id int generated always as identity primary key, amount int not null);
